import { expect, test } from 'vitest'
import { parsePackage } from './apt.ts'

const STANZA = `Package: linux-image-amd64
Source: linux-signed-amd64 (6.1.192+2)
Version: 6.1.192-2
Depends: linux-image-6.1.0-56-amd64 (= 6.1.192-2), busybox | initramfs-tools (>= 1.0), libc6:any
Description: Linux for 64-bit PCs (meta-package)
 This package depends on the latest Linux kernel.
 Version: not this one
Size: 1480
SHA256: 45457bcfc86c87585800b5656bdf2773b063a3bb95486b0e820d51e870491f8d
`

test('reads name, version, size, hash and dependencies of a package', () => {
  expect(parsePackage(STANZA)).toEqual({
    name: 'linux-image-amd64',
    version: '6.1.192-2',
    sizeBytes: 1480,
    sha256: '45457bcfc86c87585800b5656bdf2773b063a3bb95486b0e820d51e870491f8d',
    depends: ['linux-image-6.1.0-56-amd64', 'busybox', 'libc6'],
  })
})

test('reads the first of several stanzas', () => {
  expect(parsePackage(`${STANZA}\n${STANZA.replace('6.1.192-2', '6.1.1-1')}`)?.version).toBe('6.1.192-2')
})

test('returns no dependencies for a package without the field Depends', () => {
  expect(parsePackage(STANZA.replace(/^Depends.*\n/m, ''))?.depends).toEqual([])
})

test('ignores a package without a checksum', () => {
  expect(parsePackage(STANZA.replace(/^SHA256.*\n/m, ''))).toBeUndefined()
  expect(parsePackage('')).toBeUndefined()
})
