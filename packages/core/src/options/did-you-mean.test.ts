import { expect, test } from 'vitest'
import { didYouMean } from './did-you-mean.ts'

const KNOWN = ['pool', 'kernel', 'guest', 'timeout', 'bootTimeout', 'report']

test.each([
  ['kernal', 'kernel'],
  ['TIMEOUT', 'timeout'],
  ['guestPort', 'guest'],
  ['bootTime', 'bootTimeout'],
])('suggests for %s the name %s', (name, meant) => {
  expect(didYouMean(name, KNOWN)).toBe(`; did you mean \`${meant}\`?`)
})

test.each(['foo', 'x', '', 'something', 'memory'])('suggests no name for "%s"', (name) => {
  expect(didYouMean(name, KNOWN)).toBe('')
})
