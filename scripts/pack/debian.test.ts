import { expect, test } from 'vitest'
import { parseStanza } from './debian.mjs'

const LIBC = `Package: libc6
Source: glibc
Version: 2.41-12+deb13u1
Architecture: arm64
Depends: libgcc-s1, libcrypt1 (>= 1:4.4.10-10~) | libxcrypt
Size: 2849832
SHA256: ${'ab'.repeat(32)}
Description: GNU C Library`

test('reads a stanza of apt-cache', () => {
  expect(parseStanza(LIBC)).toEqual({
    name: 'libc6',
    version: '2.41-12+deb13u1',
    architecture: 'arm64',
    file: 'libc6_2.41-12+deb13u1_arm64.deb',
    source: 'glibc',
    sourceVersion: '2.41-12+deb13u1',
    sizeBytes: 2_849_832,
    sha256: 'ab'.repeat(32),
    depends: ['libgcc-s1', 'libcrypt1'],
  })
})

test('takes the version of the source that the stanza names, and escapes an epoch in the name of the file', () => {
  const text = LIBC.replace('Source: glibc', 'Source: glibc (1:2.40)').replace('Version: ', 'Version: 2:')
  expect(parseStanza(text)).toMatchObject({
    sourceVersion: '1:2.40',
    version: '2:2.41-12+deb13u1',
    file: 'libc6_2%3a2.41-12+deb13u1_arm64.deb',
  })
})

test('finds no package in a text that has none', () => {
  expect(parseStanza('N: Unable to locate package nonesuch')).toBeUndefined()
})
