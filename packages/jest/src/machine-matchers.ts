/** The matchers for machines as `expect.extend` of Jest takes them. */
import * as matchers from '@coldboot/matchers'

/**
 * All matchers of @coldboot/matchers, each given the running test, which Jest does not tell it.
 *
 * @param task the running test
 */
export function machineMatchers(task: () => object | undefined): Record<string, matchers.RegisteredMatcher> {
  const all = Object.entries(matchers.machineMatchers({ printsDiff: false }))
  return Object.fromEntries(
    all.map(([name, matcher]): [string, matchers.RegisteredMatcher] => [
      name,
      function (...args) {
        return matcher.apply({ ...this, task: task() }, args)
      },
    ]),
  )
}
