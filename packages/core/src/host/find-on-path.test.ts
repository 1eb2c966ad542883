import { expect, test } from 'vitest'
import { findOnPath } from './find-on-path.ts'

test('finds programs on PATH like a shell', () => {
  expect(findOnPath('sh')).toMatch(/\/sh$/)
  expect(findOnPath('no-such-program')).toBeUndefined()
  expect(findOnPath('/bin/sh')).toBe('/bin/sh')
  expect(findOnPath('/bin')).toBeUndefined()
  expect(findOnPath('bin', '/:/usr')).toBeUndefined()
})
