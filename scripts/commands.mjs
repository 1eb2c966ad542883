// @ts-check
/** Runs commands, hidden or in the foreground, and makes sure that a signal ends them before it ends us. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** What went wrong, in words for the user: its message is all that is left to print. */
export class StepError extends Error {}

/** How long a command may take to clean up after a signal, in milliseconds. */
const GRACE = 15_000
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
/** @type {number | undefined} */
let interruption

/**
 * Runs a command of a step. Resolves to its standard output; rejects with a {@link StepError} that has all its output.
 * @param {readonly string[]} command
 * @param {{ env: NodeJS.ProcessEnv, cwd?: string, report?: ((line: string) => void) | undefined, allowFailure?: boolean }} options
 *   `report` is called with the last line of the command's latest output; `allowFailure` accepts any exit code
 * @returns {Promise<string>}
 */
export async function run(command, { env, cwd, report, allowFailure = false }) {
  const [file = '', ...args] = command
  const child = spawn(file, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
  let all = ''
  let stdout = ''
  const collect = (/** @type {string} */ text) => {
    all += text
    const line = text
      .trimEnd()
      .split(/[\r\n]/)
      .at(-1)
      ?.trim()
    // What npm says about its settings is no progress.
    if (line && !line.startsWith('npm warn')) report?.(line)
  }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
    collect(text)
  })
  child.stderr.setEncoding('utf8').on('data', collect)
  const code = await ended(child).catch((/** @type {Error} */ error) => {
    throw new StepError(`${file} could not be started: ${error.message}`)
  })
  if (interruption !== undefined) throw new StepError('Interrupted.')
  if (code !== 0 && !allowFailure)
    throw new StepError(`This failed with exit code ${code}:\n\n  ${command.join(' ')}\n\n${all.trimEnd()}`)
  return stdout
}

/**
 * Runs a command that owns the output from here on. Resolves to its exit code, 128 + n for signal n.
 * @param {readonly string[]} command
 * @param {{ env: NodeJS.ProcessEnv, cwd: string }} options
 * @returns {Promise<number>}
 */
export function runInForeground(command, { env, cwd }) {
  const [file = '', ...args] = command
  return ended(spawn(file, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] }))
}

/** @param {import('node:child_process').ChildProcess} child @returns {Promise<number>} */
function ended(child) {
  running.add(child)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)))
  }).finally(() => running.delete(child))
}

/**
 * From now on a signal goes to the commands that run; they get time to clean up, then SIGKILL. A Ctrl-C reaches them by
 * itself, because the terminal sends it to the whole foreground group, and a second SIGINT would make Vitest give up its
 * clean-up: with a terminal it is not passed on.
 */
export function endOnSignals() {
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some((stream) => stream.isTTY)
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => {
      if (interruption !== undefined) return
      interruption = 128 + constants.signals[signal]
      if (running.size === 0) process.exit(interruption)
      for (const child of running) if (signal !== 'SIGINT' || !hasTerminal) child.kill(signal)
      setTimeout(() => {
        for (const child of running) child.kill('SIGKILL')
      }, GRACE).unref()
    })
  }
}

/** The exit code of a process that a signal ended, or undefined when none came. */
export function interrupted() {
  return interruption
}
