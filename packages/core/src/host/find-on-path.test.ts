import { relative } from 'node:path'
import { expect, test } from 'vitest'
import { findOnPath } from './find-on-path.ts'

test('finds programs on PATH like a shell', () => {
  expect(findOnPath('sh')).toMatch(/\/sh$/)
  expect(findOnPath('no-such-program')).toBeUndefined()
  expect(findOnPath('/bin/sh')).toBe('/bin/sh')
  expect(findOnPath('/bin')).toBeUndefined()
  expect(findOnPath('bin', '/:/usr')).toBeUndefined()
})

test('returns absolute paths for relative names and folders', () => {
  const folder = relative(process.cwd(), '/bin')
  expect(findOnPath(`${folder}/sh`)).toBe('/bin/sh')
  expect(findOnPath('sh', folder)).toBe('/bin/sh')
})
