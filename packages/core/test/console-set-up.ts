/** Console without a machine, for tests. */
import { type Duplex, duplexPair } from 'node:stream'
import { expect } from 'vitest'
import { Console, type ConsoleOptions } from '../src/console/console.ts'
import { Transcript } from '../src/console/log/transcript.ts'
import { ExpectError, MachineError } from '../src/errors.ts'

/** A console and the other end of its stream. */
export interface Setup {
  readonly console: Console
  /** The other end of the stream, in the machine. */
  readonly guest: Duplex
}

export const context = {
  arch: 'x86_64',
  consoleDevice: 'ttyS0',
  commandLine: ['qemu-system-x86_64', '-append', 'console=ttyS0 quiet'],
  logFile: '/tmp/vm/console.log',
}

export function setUp(options: Partial<ConsoleOptions> = {}): Setup {
  const [host, guest] = duplexPair()
  const console = new Console({
    name: 'vm',
    transcript: new Transcript(),
    timeoutMs: 20_000,
    describe: () => context,
    ...options,
  })
  console.attach(host)
  return { console, guest }
}

export const goneError = (): MachineError =>
  new MachineError('MACHINE_EXITED', 'QEMU exited with code 0 (guest-shutdown)', {
    sections: { 'QEMU printed': 'qemu: terminating' },
  })

export async function rejection(promise: Promise<unknown>): Promise<ExpectError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ExpectError)
  return error as ExpectError
}
