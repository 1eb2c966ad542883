import { expect, test } from 'vitest'
import { isAtLeast, parseVersion } from './version.ts'

test.each([
  ['QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright (c) 2003', '7.2.22'],
  ['QEMU emulator version 11.1', '11.1.0'],
  ['nice version 3.1\nQEMU emulator version 9.0.2', '9.0.2'],
  ['nice (GNU coreutils) version 9.1', undefined],
])('reads the version in %j', (output, version) => {
  expect(parseVersion(output)).toBe(version)
})

test.each([
  ['7.2.22', true],
  ['7.1.9', false],
  ['10.0.0', true],
  ['6.9.0', false],
])('compares %s with 7.2', (version, isNewEnough) => {
  expect(isAtLeast(version, [7, 2])).toBe(isNewEnough)
})
