/** Errors for tests that use fixtures of machines with Vitest's own `test`. */
import { OptionError } from '@coldboot/core'

const FIXTURES = ['vm', 'bootVM'] as const

/**
 * Defines getters that throw for the fixtures of machines. Vitest replaces them for the `test` of @coldboot/vitest. With another
 * `test`, the fixtures would otherwise be undefined.
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
