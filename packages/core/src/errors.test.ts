import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { codeOf, messageOf } from './errors.ts'

// As Node's modules throw them under Vitest's `vmThreads`, and under Jest.
const foreign: unknown = runInNewContext('Object.assign(new Error("no such file"), { code: "ENOENT" })')

test('errors of another realm have their message and their code', () => {
  expect(foreign instanceof Error).toBe(false)
  expect(messageOf(foreign)).toBe('no such file')
  expect(codeOf(foreign)).toBe('ENOENT')
})

test('values that are no errors are shown, and have no code', () => {
  expect([messageOf('text'), messageOf(undefined)]).toEqual(['text', 'undefined'])
  expect([codeOf('text'), codeOf(null), codeOf({ code: 7 }), codeOf(new Error('x'))]).toEqual(Array(4).fill(undefined))
})
