// @ts-check
/** Runs commands in the background or the foreground, and passes signals to them. */
import { spawn } from 'node:child_process'
import { constants } from 'node:os'

/** An error whose message is meant for the user, without a stack. */
export class StepError extends Error {}

/** Time for the cleanup of a command after a signal, milliseconds. */
const GRACE = 15_000
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()
/** @type {number | undefined} */
let interruption

/**
 * Runs a command of a step. Resolves to its standard output; rejects with a {@link StepError} that contains all its output.
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
    // Skips npm's warnings about its settings.
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
    throw new StepError(`This command failed with exit code ${code}:\n\n  ${command.join(' ')}\n\n${all.trimEnd()}`)
  return stdout
}

/**
 * Runs a command that writes to the terminal. Resolves to its exit code, or 128 + n for signal n.
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
 * Passes signals to running commands, and sends SIGKILL after a grace period. With a terminal, SIGINT is not passed on, because
 * the terminal sends Ctrl-C to the commands as well, and a second SIGINT would make Vitest skip its cleanup.
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

/** The exit code after a signal; undefined without one. */
export function interrupted() {
  return interruption
}
