import { readFileSync } from 'node:fs'
import { ERROR_CODES } from '@coldboot/core/internal'
import { expect, test } from 'vitest'
import { checkedOptions } from './coldboot-options.ts'
import { limitOf, NO_LIMIT } from './time-limit.ts'

test('valid options are returned unchanged', () => {
  expect(checkedOptions(undefined)).toEqual({})
  const options = { vm: { memory: '128M', ready: /login: / }, artifacts: { retain: 'always' } }
  expect(checkedOptions(options)).toBe(options)
})

test.for([
  ['a string', 'vm', 'testEnvironmentOptions.coldboot: the options must be an object, but are "vm"'],
  ['an unknown option', { vms: {} }, 'Unknown option `vms`; did you mean `vm`?'],
  ['an option of the wrong type', { vm: [] }, '`vm` must be an object'],
  ['an unknown option of a machine', { vm: { memroy: '1G' } }, 'Unknown option `memroy`; did you mean `memory`?'],
  ['an invalid artifact option', { artifacts: { retain: 'sometimes' } }, '`retain` must be'],
] as const)('%s is rejected', ([, options, message]) => {
  expect(() => checkedOptions(options)).toThrow(message)
})

test('the timeout of a test overrides the default, and both are multiplied', () => {
  expect([limitOf(undefined, 5_000, 2), limitOf(0, 5_000, 1), limitOf(300, 5_000, 2)]).toEqual([10_000, 5_000, 600])
  expect(limitOf(NO_LIMIT, 5_000, 2)).toBe(Infinity)
})

test('outside of the environment, the error has the hint of its code', () => {
  const source = readFileSync(new URL('index.cts', import.meta.url), 'utf8').replaceAll(/'\s*\+\s*'|\n\s*/g, '')
  expect(source).toContain(ERROR_CODES.JEST_ENVIRONMENT_MISSING)
})
