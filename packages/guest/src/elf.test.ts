import { describe, expect, test } from 'vitest'
import { makeElf } from '../test/make-elf.ts'
import { isStaticElf, readElfSection } from './elf.ts'

const KINDS = [
  { wide: true, little: true, name: 'x86_64 and arm64' },
  { wide: true, little: false, name: 's390x' },
  { wide: false, little: true, name: 'i386 and arm' },
  { wide: false, little: false, name: '32-bit big-endian' },
]

describe.each(KINDS)('ELF files of $name', (kind) => {
  test('have sections that can be read by name', () => {
    const file = makeElf({ ...kind, sections: { '.modinfo.more': Buffer.from('no'), '.modinfo': Buffer.from('yes') } })
    expect(Buffer.from(readElfSection(file, '.modinfo') ?? []).toString()).toBe('yes')
    expect(readElfSection(file, '.mod')).toBeUndefined()
  })

  test('are static without a loader', () => {
    expect(isStaticElf(makeElf({ ...kind, programs: [{ type: 1 }, { type: 4 }] }))).toBe(true)
    expect(isStaticElf(makeElf({ ...kind, programs: [{ type: 1 }, { type: 3 }] }))).toBe(false)
  })
})

test('a file that is not ELF has no sections and is not a static program', () => {
  for (const file of [Buffer.from('#!/bin/sh\n'), Buffer.alloc(0), Buffer.alloc(100)]) {
    expect(readElfSection(file, '.modinfo')).toBeUndefined()
    expect(isStaticElf(file)).toBe(false)
  }
})
