/** Explains why Vitest's own `test` has no machine. */
import { OptionError } from '@coldboot/core'

const FIXTURES = ['vm', 'bootVM'] as const

/**
 * Makes access to a fixture of a machine throw until the fixture is set. Vitest sets those of `test` from @coldboot/vitest; with
 * another `test`, they would be undefined.
 */
export function explainMissingFixtures(context: object): void {
  for (const name of FIXTURES) {
    if (name in context) continue
    Object.defineProperty(context, name, {
      configurable: true,
      get() {
        throw new OptionError(
          'INVALID_OPTION',
          `This test asks for \`${name}\`, which \`test\` from 'vitest' does not have`,
          {
            hint: "Write `import { test } from '@coldboot/vitest'`, or extend that `test`.",
          },
        )
      },
      set(value: unknown) {
        Object.defineProperty(context, name, { value, configurable: true, enumerable: true, writable: true })
      },
    })
  }
}
