/** The matchers for machines as `expect.extend` of Jest takes them. */
import { type MatcherResult, machineMatchers, type RegisteredMatcher } from '@coldboot/matchers'
import { type Context, toMatchSnapshot } from 'jest-snapshot'

/** The running test, as matchers are told of it. */
export interface RunningTest {
  /** Has what it left under the symbols of @coldboot/matchers. */
  readonly task: object
  /** Its name behind those of its describes. */
  readonly fullName: string
}

/**
 * All matchers of @coldboot/matchers, each given the running test, which Jest does not tell it: of concurrent ones, it knows
 * only the name of the one that began last.
 *
 * @param running the running test
 */
export function jestMatchers(running: () => RunningTest | undefined): Record<string, RegisteredMatcher> {
  const matchers = machineMatchers({
    printsDiff: false,
    toMatchSnapshot(received, hint) {
      // It is Jest's own context, with what ours adds.
      const context = this as unknown as Context
      // It counts its arguments: a hint that is undefined would be taken for properties.
      const args = hint === undefined ? ([received] as const) : ([received, hint] as const)
      return toMatchSnapshot.call(context, ...args) as MatcherResult
    },
  })
  const entries = Object.entries<RegisteredMatcher>(matchers)
  return Object.fromEntries(entries.map(([name, matcher]) => [name, told(matcher, running)]))
}

function told(matcher: RegisteredMatcher, running: () => RunningTest | undefined): RegisteredMatcher {
  return function (...args) {
    const { task, fullName: currentTestName = this.currentTestName } = running() ?? {}
    return matcher.apply({ ...this, task, currentTestName }, args)
  }
}
