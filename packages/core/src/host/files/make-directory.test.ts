import { mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { makeDirectory } from './make-directory.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'make-directory-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('creates a directory with its parents, which are private with that mode', () => {
  const path = join(folder, 'a', 'b')
  makeDirectory(path, 0o700)
  makeDirectory(path, 0o700)
  for (const one of [path, join(folder, 'a')]) expect(statSync(one).mode & 0o777).toBe(0o700)
})

test('accepts a symbolic link to a directory', () => {
  mkdirSync(join(folder, 'real'))
  symlinkSync('real', join(folder, 'link'))
  makeDirectory(join(folder, 'link', 'x'))
  expect(statSync(join(folder, 'real', 'x')).isDirectory()).toBe(true)
})

test('fails at once below a file, at a file, and in a directory that cannot have others', () => {
  writeFileSync(join(folder, 'file'), '')
  expect(() => makeDirectory(join(folder, 'file'))).toThrow('EEXIST')
  expect(() => makeDirectory(join(folder, 'file', 'x', 'y'))).toThrow('ENOTDIR')
})

// Only Linux has such a directory.
test.runIf(process.platform === 'linux')('fails at once in /proc, where `mkdir` of Node never returns', () => {
  expect(() => makeDirectory('/proc/coldboot/cache')).toThrow(
    "ENOENT: no such file or directory, mkdir '/proc/coldboot'",
  )
})
