/** The matchers for machines as `expect.extend` of Jest takes them. */
import { type MatcherResult, machineMatchers, type RegisteredMatcher } from '@coldboot/matchers'
import { type Context, toMatchSnapshot } from 'jest-snapshot'

/**
 * All matchers of @coldboot/matchers, each given the running test, which Jest does not tell it.
 *
 * @param task the running test
 */
export function jestMatchers(task: () => object | undefined): Record<string, RegisteredMatcher> {
  const matchers = machineMatchers({
    printsDiff: false,
    toMatchSnapshot(received, hint) {
      // It is Jest’s own context, with what ours adds.
      const context = this as unknown as Context
      // It counts its arguments: a hint that is undefined would be taken for properties.
      const args = hint === undefined ? ([received] as const) : ([received, hint] as const)
      return toMatchSnapshot.call(context, ...args) as MatcherResult
    },
  })
  const entries = Object.entries<RegisteredMatcher>(matchers)
  return Object.fromEntries(entries.map(([name, matcher]) => [name, told(matcher, task)]))
}

function told(matcher: RegisteredMatcher, task: () => object | undefined): RegisteredMatcher {
  return function (...args) {
    return matcher.apply({ ...this, task: task() }, args)
  }
}
