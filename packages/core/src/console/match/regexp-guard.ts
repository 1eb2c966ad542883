/**
 * Bounds the time of a regular expression. A match cannot be interrupted from JavaScript, and timers do not fire during
 * one; `node:vm` can end it. That costs some 100 µs a call, so it is used only where the shape of the expression allows
 * more work than that.
 */
import { type Context, createContext, Script } from 'node:vm'
import { ExpectError } from '../../errors.ts'

/** Work, in steps of the engine, that is done without a guard: a few milliseconds. */
const HARMLESS = 1_000_000

/** Longest time for one look at the text, milliseconds, and what is granted on top for each character of it. */
const BUDGET_MS = 1_000
const BUDGET_MS_PER_CHARACTER = 1e-3

const script = new Script('job()')
let context: Context | undefined

/** Runs `job`, which looks at `length` characters with `regexp` and may be as much `work`, in a bounded time. */
export type Guard = <T>(regexp: RegExp, length: number, work: number, job: () => T) => T

/**
 * @param scale stretches the limit on slow hosts. Default: not at all
 * @returns a guard that throws ExpectError `PATTERN_TOO_SLOW`
 */
export function makeGuard(scale: (milliseconds: number) => number = (milliseconds) => milliseconds): Guard {
  return (regexp, length, work, job) => {
    const tooSlow = (what: string): ExpectError =>
      new ExpectError(
        'PATTERN_TOO_SLOW',
        `The pattern ${regexp} took ${what} on ${length} characters of output: it backtracks too much`,
      )
    try {
      if (work <= HARMLESS) return job()
      const budget = Math.ceil(scale(BUDGET_MS + length * BUDGET_MS_PER_CHARACTER))
      return runWithin(budget, job, () => tooSlow(`more than ${(budget / 1000).toFixed(1)} s`))
    } catch (error) {
      throw isOverflow(error) ? tooSlow('too much memory') : error
    }
  }
}

/** Whether a regular expression had more ways still to try than the engine can remember. */
export function isOverflow(error: unknown): boolean {
  return error instanceof RangeError && /stack/.test(error.message)
}

function runWithin<T>(budget: number, job: () => T, tooSlow: () => Error): T {
  let result: { readonly value: T } | undefined
  context ??= createContext({})
  for (let timeout = budget; ; timeout *= 2) {
    const before = process.cpuUsage()
    context['job'] = () => {
      result = { value: job() }
    }
    try {
      script.runInContext(context, { timeout })
    } catch (error) {
      if (!isTimeout(error)) throw error
      // A process that was not given the processor is not a slow pattern: it gets more time, until it had its share.
      const { user, system } = process.cpuUsage(before)
      if ((user + system) / 1000 >= budget / 2) throw tooSlow()
    } finally {
      context['job'] = undefined
    }
    if (result !== undefined) return result.value
  }
}

function isTimeout(error: unknown): boolean {
  // The error is made in the other context: it is no instance of our Error.
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
