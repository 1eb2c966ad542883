import { expect, test } from 'vitest'
import { enginePackage } from './engine.ts'

test.each([
  ['x86_64', 'x64', '@coldboot/qemu-linux-x64'],
  ['i386', 'x64', '@coldboot/qemu-linux-x64'],
  ['aarch64', 'arm64', '@coldboot/qemu-linux-arm64'],
  ['arm', 'arm64', '@coldboot/qemu-linux-arm64'],
  ['arm', 'x64', '@coldboot/qemu-linux-x64-aarch64'],
  ['i386', 'arm64', '@coldboot/qemu-linux-arm64-x86_64'],
  ['s390x', 'x64', '@coldboot/qemu-linux-x64-s390x'],
  ['s390x', 'arm64', undefined],
  ['mips', 'x64', undefined],
])('names the package for %s guests on Linux %s', (guest, cpu, name) => {
  expect(enginePackage(guest, { platform: 'linux', cpu })).toBe(name)
})

test('has no package for hosts other than Linux', () => {
  expect(enginePackage('x86_64', { platform: 'darwin', cpu: 'x64' })).toBeUndefined()
  expect(enginePackage('aarch64', { platform: 'win32', cpu: 'arm64' })).toBeUndefined()
})
