/** Checks an invariant repeatedly while another function of the test runs. */
import { ColdbootError, ExpectError, messageOf, OptionError } from '../errors.ts'
import { startTimer, stopTimer } from '../host/clock.ts'
import { type CheckTable, checkTable, isDuration } from '../options/checked-options.ts'

/** Options of `VM.during`. */
export interface DuringOptions {
  /** Pause between two checks, milliseconds. @default 200 */
  readonly interval?: number
}

const CHECKS: CheckTable<Required<DuringOptions>> = { interval: isDuration }
const INTERVAL_MS = 200

/** The part of a machine that error messages need. */
export interface DuringMachine {
  readonly name: string
}

/** See `VM.during`. */
export async function during<Result>(
  { name }: DuringMachine,
  invariant: () => unknown,
  body: (signal: AbortSignal) => Promise<Result> | Result,
  options: DuringOptions,
): Promise<Result> {
  checkTable('during', options, CHECKS)
  if (typeof invariant !== 'function' || typeof body !== 'function') {
    throw new OptionError('INVALID_OPTION', '`during` needs two functions: the invariant, and the body')
  }
  const { interval = INTERVAL_MS } = options
  let checks = 0
  const check = async (when: string): Promise<void> => {
    checks++
    let reason: unknown
    try {
      if ((await invariant()) !== false) return
    } catch (error) {
      reason = error
    }
    throw broken(name, when, checks, reason)
  }
  await check('before the body ran')
  const aborted = new AbortController()
  const over = new AbortController()
  const checking = repeat(() => check('while the body ran'), interval, over.signal)
  // The body may continue after a failed check. Its errors are then ignored.
  const running = Promise.resolve().then(() => body(aborted.signal))
  running.catch(() => {})
  checking.catch(() => {})
  try {
    const result = await Promise.race([running, checking])
    over.abort()
    await checking
    await check('after the body ran')
    return result as Result
  } catch (error) {
    aborted.abort(error)
    throw error
  } finally {
    over.abort()
  }
}

/** Repeats `check` with pauses until `over` aborts, then waits for a check that is running. Rejects if `check` does. */
async function repeat(check: () => Promise<void>, interval: number, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const { promise: paused, resolve } = Promise.withResolvers<void>()
    const timer = startTimer(resolve, interval)
    const onAbort = (): void => resolve()
    over.addEventListener('abort', onAbort, { once: true })
    await paused
    stopTimer(timer)
    over.removeEventListener('abort', onAbort)
    if (!over.aborted) await check()
  }
}

function broken(name: string, when: string, checks: number, reason: unknown): ExpectError {
  const why =
    reason === undefined ? 'it returned false' : ColdbootError.is(reason) ? reason.shortMessage : messageOf(reason)
  const message = `The invariant of "${name}" failed ${when}, at check ${checks}: ${why}`
  const sections = ColdbootError.is(reason) ? { sections: reason.sections } : {}
  return new ExpectError('INVARIANT_FAILED', message, { cause: reason, ...sections })
}
