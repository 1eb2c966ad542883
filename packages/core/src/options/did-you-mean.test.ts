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

test('prefers the meaning of an alias to a similar name', () => {
  const suggest = (name: string) => didYouMean(name, ['arm', 'aarch64'], { arm64: 'aarch64' })
  expect([suggest('ARM64'), suggest('arm6')]).toEqual(['; did you mean `aarch64`?', '; did you mean `arm`?'])
})
