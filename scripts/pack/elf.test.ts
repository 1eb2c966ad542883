import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readElf } from './elf.mjs'

const LAUNCHERS = new URL('../../packages/qemu/launcher/bin/', import.meta.url)

test.skipIf(process.platform !== 'linux')('reads the libraries and the loader of a dynamic program', () => {
  const elf = readElf(readFileSync(process.execPath))
  expect(elf?.machine).toBe({ x64: 'x86_64', arm64: 'aarch64' }[process.arch as string])
  expect(elf?.needed).toContain('libc.so.6')
  expect(elf?.interpreter).toMatch(/\/ld-linux-.*\.so\.\d$/)
})

test.each(['x86_64', 'aarch64'])('reads the machine of a static program for %s', (machine) => {
  expect(readElf(readFileSync(new URL(machine, LAUNCHERS)))).toEqual({
    machine,
    needed: [],
    soname: undefined,
    interpreter: undefined,
    hasSymbols: false,
  })
})

test('returns undefined for other files', () => {
  expect(readElf(Buffer.from('#!/bin/sh\n'))).toBeUndefined()
  expect(readElf(readFileSync(new URL(import.meta.url)))).toBeUndefined()
})
