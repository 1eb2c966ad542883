import { inspect } from 'node:util'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { codeOf, ExpectError, messageOf } from './errors.ts'

// Under Vitest's `vmThreads` and under Jest, errors of Node's modules belong to another realm.
const foreign: unknown = runInNewContext('Object.assign(new Error("no such file"), { code: "ENOENT" })')

test('errors of another realm have their message and their code', () => {
  expect(foreign instanceof Error).toBe(false)
  expect(messageOf(foreign)).toBe('no such file')
  expect(codeOf(foreign)).toBe('ENOENT')
})

test('messageOf formats values that are not errors, and codeOf returns undefined for them', () => {
  expect([messageOf('text'), messageOf(undefined)]).toEqual(['text', 'undefined'])
  expect([codeOf('text'), codeOf(null), codeOf({ code: 7 }), codeOf(new Error('x'))]).toEqual(Array(4).fill(undefined))
})

test('an error is printed once: its sections are not repeated as properties', () => {
  const error = new ExpectError('EXPECT_TIMEOUT', 'nothing came', { sections: { 'End of the console': 'login: ' } })
  expect(inspect(error).split('login: ')).toHaveLength(2)
  expect(inspect(error)).toMatch(/\{\s+code: 'EXPECT_TIMEOUT'\s+\}$/)
  expect(JSON.parse(JSON.stringify(error))).toEqual({
    name: 'ExpectError',
    code: 'EXPECT_TIMEOUT',
    message: error.message,
    shortMessage: 'nothing came',
  })
})
