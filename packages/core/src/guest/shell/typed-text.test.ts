import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LONGEST_LINE } from './shell-functions.ts'
import { typedEscapes, typedWord } from './typed-text.ts'

/** The text that a shell decodes from the lines. */
function printed(shell: string, lines: readonly string[]): Buffer {
  return execFileSync(shell, ['-c', lines.join('\n')], { stdio: ['ignore', 'pipe', 'inherit'] })
}

const anyText = fc
  .string({
    unit: fc.oneof(
      fc.constantFrom("'", '\\', '!', '\n', '\t', '\0' /* left out below */, '0', '$', 'é', '😀'),
      fc.string({ maxLength: 200 }),
    ),
  })
  .map((text) => text.replaceAll('\0', ''))

describe('typed text', () => {
  test.each(['dash', 'bash'])('any typed text is the same in %s', (shell) => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { before, word } = typedWord(text, 'a')
        expect(printed(shell, [...before, `printf %s ${word}`]).toString()).toBe(text)
      }),
      { numRuns: 100 },
    )
  })

  test('typed text of bytes decodes to the same bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const { before, word } = typedEscapes(bytes, 'a')
        expect(printed('dash', [...before, `printf %b ${word}`])).toEqual(Buffer.from(bytes))
      }),
      { numRuns: 100 },
    )
  })

  test('has lines of printable ASCII that any line editor accepts', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { before, word } = typedWord(text, '_cba')
        for (const line of [...before, word]) {
          expect(line).toMatch(/^[\x20-\x7e]*$/)
          expect(line.length).toBeLessThan(LONGEST_LINE / 2)
          expect(line).not.toContain('!')
        }
      }),
    )
  })
})
