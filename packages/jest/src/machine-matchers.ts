/** The matchers for machines as `expect.extend` of Jest takes them. */
import * as matchers from '@coldboot/matchers'

type Matcher = (
  this: object,
  received: unknown,
  ...args: unknown[]
) => matchers.MatcherResult | Promise<matchers.MatcherResult>

/**
 * All matchers of @coldboot/matchers, each given the running test, which Jest does not tell it.
 *
 * @param task the running test
 */
export function machineMatchers(task: () => object | undefined): Record<string, Matcher> {
  const all = Object.entries(matchers).filter(([name]) => /^to[A-Z]/.test(name))
  return Object.fromEntries(
    all.map(([name, matcher]) => [
      name,
      function (this: object, ...args: unknown[]) {
        return Reflect.apply(matcher as Matcher, { ...this, task: task() }, args)
      },
    ]),
  )
}
