import { readFileSync } from 'node:fs'
import { expect, test, vi } from 'vitest'
import { VARIABLES, warnOfUnknown } from './unknown-variables.ts'

function warningsFor(variables: Record<string, string>): unknown[] {
  const emit = vi.spyOn(process, 'emitWarning').mockReturnValue()
  warnOfUnknown(variables)
  const warnings = emit.mock.calls.map(([warning]) => warning)
  emit.mockRestore()
  return warnings
}

test('warns once of a misspelled variable, with the nearest known one', () => {
  const variables = {
    COLDBOOT_CACHE: '/x',
    COLDBOOT_PROGRESS_SOCKET: '/y',
    CACHE: 'z',
    COLDBOOT_TIMEOUT_MULTIPLER: '3',
  }
  expect(warningsFor(variables)).toEqual([
    'The environment variable COLDBOOT_TIMEOUT_MULTIPLER has no effect. Did you mean COLDBOOT_TIMEOUT_MULTIPLIER?',
  ])
  expect(warningsFor(variables)).toEqual([])
})

test('lists the variables when none is near', () => {
  expect(warningsFor({ COLDBOOT_SOMETHING_ELSE: '1' })).toEqual([
    expect.stringMatching(
      /^The environment variable COLDBOOT_SOMETHING_ELSE has no effect\. The variables are COLDBOOT_A/,
    ),
  ])
})

test('knows each variable that the environment is read for', () => {
  const source = readFileSync(new URL('./environment.ts', import.meta.url), 'utf8')
  const read = new Set(source.match(/(?<=')COLDBOOT_[A-Z_]+(?=')/g))
  read.delete('COLDBOOT_PROGRESS_SOCKET')
  expect([...read].toSorted()).toEqual([...VARIABLES])
})
