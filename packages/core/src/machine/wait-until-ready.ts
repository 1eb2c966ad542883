/** Waits for the `ready` pattern of a machine. */
import type { ExpectOptions } from '../console/expect/expect-options.ts'
import { ExpectBuffer } from '../console/match/expect-buffer.ts'
import { type Match, type PatternInput, patternList, toMatch } from '../console/match/pattern.ts'
import { ERROR_CODES, ExpectError, OptionError } from '../errors.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'

/** Waits for console output of the machine. */
export type Expect = (pattern: PatternInput, options: ExpectOptions) => Promise<Match>

/** See `VM.ready`. */
export async function waitUntilReady({ name, ready, bootTimeoutMs }: MachineSpec, expect: Expect): Promise<Match> {
  if (ready === undefined) {
    throw new OptionError('INVALID_OPTION', `Machine "${name}" has no \`ready\` pattern to wait for`, {
      hint: 'Set `ready` to a pattern that the console prints when the machine is ready for a test.',
    })
  }
  try {
    return await expect(ready, { timeout: bootTimeoutMs })
  } catch (error) {
    if (!(error instanceof ExpectError) || error.code !== 'EXPECT_TIMEOUT') throw error
    const message = `The boot took too long (\`bootTimeout\`). ${error.shortMessage}`
    // A hint from the diagnosis of the console is more specific than that of the code.
    const hint = error.hint === ERROR_CODES.EXPECT_TIMEOUT ? {} : { hint: error.hint }
    throw new ExpectError('BOOT_TIMEOUT', message, { ...hint, cause: error, sections: error.sections })
  }
}

/**
 * Finds the `ready` pattern in output that another wait has consumed, so that a test that has waited for the prompt
 * itself does not have to wait for a second prompt.
 */
export function readyInside({ before, text, dropped }: Match, { ready }: MachineSpec): Match | undefined {
  if (ready === undefined) return undefined
  const patterns = patternList(ready)
  const buffer = new ExpectBuffer(patterns)
  const consumed = before + text
  const found = buffer.push(consumed) ?? buffer.end()
  return found && toMatch(found, patterns, consumed.slice(0, found.start), dropped)
}
