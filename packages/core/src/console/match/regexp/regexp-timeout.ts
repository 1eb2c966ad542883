/**
 * Limits the time of a regular expression. JavaScript cannot interrupt a match, but `node:vm` can. A call of `node:vm`
 * takes about 100 µs, so it is used only for expressions that may need more work than that.
 */
import { type Context, createContext, Script } from 'node:vm'
import { ExpectError } from '../../../errors.ts'

/** Amount of work that needs no time limit, in steps of the engine. They take a few milliseconds. */
const HARMLESS = 1_000_000

/** Time limit of one search, and the addition for each character of the text. Milliseconds. */
const BUDGET_MS = 1_000
const BUDGET_MS_PER_CHARACTER = 1e-3

const script = new Script('job()')
let context: Context | undefined

/** Runs `job`, a search of `length` characters with `regexp` that takes up to `work` steps, with a time limit. */
export type RegExpTimeout = <T>(regexp: RegExp, length: number, work: number, job: () => T) => T

/**
 * @param scale multiplies the limit by `timeoutMultiplier`. @default no change
 * @returns a function that runs a search with a time limit, and throws ExpectError `PATTERN_TOO_SLOW`
 */
export function makeRegExpTimeout(
  scale: (milliseconds: number) => number = (milliseconds) => milliseconds,
): RegExpTimeout {
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

/** Whether a regular expression exceeded the backtracking stack of the engine. */
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
      // On a busy host, the process may have waited for a CPU. It gets more time until its CPU time exceeds the limit.
      const { user, system } = process.cpuUsage(before)
      if ((user + system) / 1000 >= budget / 2) throw tooSlow()
    } finally {
      context['job'] = undefined
    }
    if (result !== undefined) return result.value
  }
}

function isTimeout(error: unknown): boolean {
  // The error comes from another context, so `instanceof Error` is false.
  return typeof error === 'object' && error !== null && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}
