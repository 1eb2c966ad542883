/** Interactive session on the console of a machine, during a test. */
import type { Console } from '../../console/console.ts'
import { openTerminal, type Terminal } from '../../host/terminal.ts'

/** Options of `VM.debug`. */
export interface DebugOptions {
  /** Message shown at the start. @default none */
  readonly message?: string | undefined
  /**
   * Whether the CPUs are stopped during the session, so that gdb sees the current state of the guest. @default false
   */
  readonly gdb?: boolean | undefined
  /** Ends the session when it aborts. @default the signal of the machine */
  readonly signal?: AbortSignal | undefined
  /**
   * Says what Ctrl-] does, for a session outside of a test, such as `Press Ctrl-] to end the machine.`
   * @default 'Press Ctrl-] to continue the test.', and the end of the session names the test too
   */
  readonly leaveHint?: string | undefined
}

/** The part of a machine that the session needs. */
export interface DebuggedMachine {
  readonly name: string
  readonly console: Console
  /** Resolves when the machine has ended. */
  readonly ended: Promise<unknown>
  /** Stops the CPUs for a debugger. @returns the command that connects it. Required for the option `gdb` */
  readonly stop?: () => Promise<string>
}

/** Ctrl-] ends the session, as in telnet and virsh, because shells and editors do not use it. */
const LEAVE = 0x1d
/** Amount of earlier output that is shown, characters. */
const SHOWN_BEFORE = 2_000

/**
 * Connects the terminal with the console until Ctrl-] is typed, the machine ends, or the terminal is closed. Output of
 * the session is consumed, so the test does not match it afterwards.
 *
 * @throws OptionError `NO_TERMINAL`
 */
export async function debugSession(
  { name, console, ended, stop }: DebuggedMachine,
  { message, gdb = false, signal, leaveHint }: DebugOptions,
  open: () => Terminal = openTerminal,
): Promise<void> {
  using terminal = open()
  const { input, output } = terminal
  const say = (text: string): void => void output.write(`\r\n[coldboot] ${text}\r\n`)
  if (message !== undefined) say(message.replaceAll('\n', '\r\n'))
  const command = gdb ? await stop?.() : undefined
  if (command !== undefined) say(`The CPUs of "${name}" are stopped. Connect from another terminal:\r\n${command}`)
  say(`This terminal is now the console of "${name}". ${leaveHint ?? 'Press Ctrl-] to continue the test.'}`)
  output.write(console.raw().slice(-SHOWN_BEFORE))
  using _watch = console.watch((chunk) => {
    output.write(chunk)
    return chunk.length
  })
  const why = await untilLeft(input, console, ended, signal)
  const farewell = [why, leaveHint === undefined ? 'Back to the test.' : undefined].filter(Boolean).join(' ')
  if (farewell !== '') say(farewell)
  // Text that is not flushed before the terminal is restored would never be shown.
  await new Promise<void>((resolve) => output.write('', () => resolve()))
}

/** @returns why the session ended; undefined after Ctrl-] */
async function untilLeft(
  input: NodeJS.ReadableStream,
  console: Console,
  ended: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const { promise: left, resolve, reject } = Promise.withResolvers<string | undefined>()
  input.on('data', (data: Buffer | string) => {
    const keys = Buffer.from(data)
    const end = keys.indexOf(LEAVE)
    const typed = end < 0 ? keys : keys.subarray(0, end)
    try {
      if (typed.length > 0) console.send(typed)
    } catch {
      // The machine has just ended, and the session ends with it.
    }
    if (end >= 0) resolve(undefined)
  })
  // Not `once` of node:events, which rejects: a terminal that hangs up emits the error EIO before `close`.
  const onClose = (): void => resolve('The terminal was closed.')
  const onAbort = (): void => resolve('The test has ended.')
  input.on('close', onClose)
  signal?.addEventListener('abort', onAbort)
  if (signal?.aborted) onAbort()
  ended.then(() => resolve('The machine has ended.'), reject)
  try {
    return await left
  } finally {
    input.off('close', onClose)
    signal?.removeEventListener('abort', onAbort)
  }
}
