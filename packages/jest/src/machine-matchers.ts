/** The matchers for machines as `expect.extend` of Jest takes them. */
import * as matchers from '@coldboot/matchers'
import { type Context, toMatchSnapshot } from 'jest-snapshot'

/**
 * All matchers of @coldboot/matchers, each given the running test, which Jest does not tell it.
 *
 * @param task the running test
 */
export function machineMatchers(task: () => object | undefined): Record<string, matchers.RegisteredMatcher> {
  const all = Object.entries(
    matchers.machineMatchers({
      printsDiff: false,
      toMatchSnapshot(received, hint) {
        // It is Jest’s own context, with what ours adds.
        const result = toMatchSnapshot.call(this as unknown as Context, received, hint)
        return result as matchers.MatcherResult
      },
    }),
  )
  return Object.fromEntries(
    all.map(([name, matcher]): [string, matchers.RegisteredMatcher] => [
      name,
      function (...args) {
        return matcher.apply({ ...this, task: task() }, args)
      },
    ]),
  )
}
