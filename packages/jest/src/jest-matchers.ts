/** The matchers for Jest's `expect.extend`. */
import { type MatcherResult, machineMatchers, type RegisteredMatcher } from '@coldboot/matchers'
import { type Context, toMatchSnapshot } from 'jest-snapshot'

/** The running test, for matchers. */
export interface RunningTest {
  /** Object with `TIME_LEFT` of @coldboot/matchers. */
  readonly task: object
  /** Name of the test after those of its groups. */
  readonly fullName: string
}

/**
 * All matchers of @coldboot/matchers with the running test in their context. Jest does not provide the test: if tests run
 * concurrently, its context only contains the name of the last one that was started.
 *
 * @param running returns the running test
 */
export function jestMatchers(running: () => RunningTest | undefined): Record<string, RegisteredMatcher> {
  const matchers = machineMatchers({
    printsDiff: false,
    toMatchSnapshot(received, hint) {
      // The context is that of Jest plus our properties.
      const context = this as unknown as Context
      // Omits an undefined hint, because Jest counts the arguments and would interpret it as property matchers.
      const args = hint === undefined ? ([received] as const) : ([received, hint] as const)
      return toMatchSnapshot.call(context, ...args) as MatcherResult
    },
  })
  const entries = Object.entries<RegisteredMatcher>(matchers)
  return Object.fromEntries(entries.map(([name, matcher]) => [name, withTest(matcher, running)]))
}

function withTest(matcher: RegisteredMatcher, running: () => RunningTest | undefined): RegisteredMatcher {
  return function (...args) {
    const { task, fullName: currentTestName = this.currentTestName } = running() ?? {}
    return matcher.apply({ ...this, task, currentTestName }, args)
  }
}
