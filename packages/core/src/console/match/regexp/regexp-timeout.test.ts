import { expect, test } from 'vitest'
import { ExpectError } from '../../../errors.ts'
import { ExpectBuffer } from '../expect-buffer.ts'
import { makeRegExpTimeout } from './regexp-timeout.ts'

// A shorter limit than the real one.
const regExpTimeout = makeRegExpTimeout(() => 50)

test('stops and names a regular expression that backtracks too much', () => {
  const buffer = new ExpectBuffer([/(a+)+$/m], { regExpTimeout })
  expect(() => buffer.push(`${'a'.repeat(40)}b\n`)).toThrow(ExpectError)
  expect(() => buffer.push(`${'a'.repeat(40)}b\n`)).toThrow(/\/\(a\+\)\+\$\/m took more than 0\.1 s on \d+ characters/)
})

test('returns the result of a guarded expression', () => {
  const job = (): number => 42
  expect(regExpTimeout(/x/, 10, Infinity, job)).toBe(42)
})

test('passes on an error of the job', () => {
  const job = (): never => {
    throw new RangeError('mine')
  }
  expect(() => regExpTimeout(/x/, 10, Infinity, job)).toThrow(RangeError)
})

test('names a regular expression that needs too much memory', () => {
  const buffer = new ExpectBuffer([/<(?:.|\n)*>x/], { regExpTimeout })
  const text = 'a\n'.repeat(4_000_000)
  expect(() => buffer.push(`<${text}`) ?? buffer.end()).toThrow(
    /\/<\(\?:\.\|\\n\)\*>x\/ took too much memory|took more than/,
  )
})
