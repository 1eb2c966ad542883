import { describe, expect, test } from 'vitest'
import { count } from './summary.mjs'

const file = (status: string, ...tests: string[]) => ({ status, assertionResults: tests.map((it) => ({ status: it })) })

describe('count', () => {
  test('adds up the tests of all files', () => {
    const files = [file('passed', 'passed', 'passed', 'pending'), file('failed', 'failed', 'passed', 'todo')]
    expect(count(files, 1)).toEqual({ passed: 3, failed: 1, skipped: 2 })
  })

  test('a file that cannot be loaded is one failure', () => {
    expect(count([file('failed'), file('passed', 'passed')], 1)).toEqual({ passed: 1, failed: 1, skipped: 0 })
  })

  test('a file whose hook failed after its tests passed is one failure', () => {
    expect(count([file('failed', 'passed')], 1)).toEqual({ passed: 1, failed: 1, skipped: 0 })
  })

  test('a run that fails outside of all tests is one failure', () => {
    expect(count([file('passed', 'passed')], 1)).toEqual({ passed: 1, failed: 1, skipped: 0 })
  })

  test('a run without a report is one failure for any exit code', () => {
    expect(count(undefined, 0)).toEqual({ passed: 0, failed: 1, skipped: 0 })
    expect(count(undefined, 130)).toEqual({ passed: 0, failed: 1, skipped: 0 })
  })

  test('a run without failures has none', () => {
    expect(count([file('passed', 'passed')], 0)).toEqual({ passed: 1, failed: 0, skipped: 0 })
  })
})
