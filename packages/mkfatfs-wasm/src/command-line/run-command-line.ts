/** Runs the command line: parses arguments, handles signals, prints reports, and returns the exit code. */
import { constants } from 'node:os'
import { MkfatfsError } from '../errors.ts'
import { parseCommand } from './arguments.ts'
import { printable } from './printable.ts'
import { ProgressBar } from './progress-bar.ts'
import { runCommand } from './run-command.ts'

/** The output of the command. */
export interface Streams {
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}

const WRONG_USAGE = 2
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Returns the exit code: 0 for success; 1 for a failure; 2 for invalid arguments; 128 + n after signal n. */
export async function runCommandLine(args: readonly string[], { stdout, stderr }: Streams): Promise<number> {
  const controller = new AbortController()
  let signal: (typeof SIGNALS)[number] | undefined
  // The first signal aborts the run, which removes the unfinished image, or leaves the old one. A second signal ends the process at once.
  const stop = (name: (typeof SIGNALS)[number]): void => {
    signal = name
    controller.abort()
  }
  for (const name of SIGNALS) process.once(name, stop)
  const bar = new ProgressBar(stderr)
  let isUnderstood = false
  try {
    const command = parseCommand(args)
    isUnderstood = true
    const report = await runCommand(command, { signal: controller.signal, onProgress: bar.update.bind(bar) })
    bar.stop()
    stdout.write(report)
    return 0
  } catch (error) {
    bar.stop()
    if (signal !== undefined) return 128 + constants.signals[signal]
    if (!MkfatfsError.is(error)) throw error
    if (args.includes('--json')) {
      const { code, shortMessage, hint, offenders } = error
      stdout.write(`${JSON.stringify({ error: { code, message: shortMessage, hint, offenders } }, undefined, 2)}\n`)
    } else stderr.write(`${printable(`mkfatfs-wasm: ${error.message} [${error.code}]`)}\n`)
    return isUnderstood ? 1 : WRONG_USAGE
  } finally {
    for (const name of SIGNALS) process.off(name, stop)
  }
}
