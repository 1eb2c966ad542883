import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { ERROR_CODES } from '../packages/core/src/errors.ts'
import { CATALOGUE, catalogue } from './error-catalogue.mjs'

test('docs/errors.md is up to date (node scripts/error-catalogue.mjs writes it)', () => {
  expect(readFileSync(CATALOGUE, 'utf8')).toBe(catalogue())
})

test('every code has an entry', () => {
  for (const code of Object.keys(ERROR_CODES)) expect(catalogue()).toContain(`### ${code}\n`)
})
