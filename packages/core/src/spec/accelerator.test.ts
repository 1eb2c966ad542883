import { expect, test } from 'vitest'
import { chooseAccelerator, type Host } from './accelerator.ts'

function host(overrides: Partial<Host> = {}): Host {
  return {
    platform: 'linux',
    arch: 'x86_64',
    kvmDevice: () => 'usable',
    cpuInfo: () => 'processor\t: 0\nflags\t\t: fpu vme vmx sse2\n',
    ...overrides,
  }
}

test('chooses kvm if the device is usable and the CPU has the flag, also for i386 guests', () => {
  expect(chooseAccelerator('x86_64', undefined, host()).accelerator).toBe('kvm')
  expect(chooseAccelerator('i386', undefined, host()).accelerator).toBe('kvm')
  expect(chooseAccelerator('x86_64', undefined, host({ cpuInfo: () => 'flags : svm' })).accelerator).toBe('kvm')
})

test('chooses tcg without a warning if /dev/kvm opens but the CPU lacks the flag', () => {
  const choice = chooseAccelerator(
    'x86_64',
    undefined,
    host({ cpuInfo: () => 'flags\t\t: fpu vme avmx sse2 hypervisor' }),
  )
  expect(choice).toMatchObject({ accelerator: 'tcg', warning: undefined })
  expect(choice.reason).toContain('vmx')
})

test('chooses tcg with a warning about the group and the udev rule if access to /dev/kvm is denied', () => {
  const { accelerator, warning } = chooseAccelerator('x86_64', undefined, host({ kvmDevice: () => 'no access' }))
  expect(accelerator).toBe('tcg')
  expect(warning).toContain('usermod -aG kvm')
  expect(warning).toContain('KERNEL=="kvm"')
})

test('chooses tcg without /dev/kvm, and for a guest of another architecture', () => {
  expect(chooseAccelerator('x86_64', undefined, host({ kvmDevice: () => 'missing' })).accelerator).toBe('tcg')
  expect(chooseAccelerator('aarch64', undefined, host()).accelerator).toBe('tcg')
})

test('a 64-bit ARM host needs no flag', () => {
  expect(chooseAccelerator('aarch64', undefined, host({ arch: 'aarch64', cpuInfo: () => '' })).accelerator).toBe('kvm')
})

test('chooses hvf on macOS only for the architecture of the host', () => {
  const mac = host({ platform: 'darwin', arch: 'aarch64' })
  expect(chooseAccelerator('aarch64', undefined, mac).accelerator).toBe('hvf')
  expect(chooseAccelerator('x86_64', undefined, mac).accelerator).toBe('tcg')
})

test('uses a forced accelerator without probing', () => {
  expect(chooseAccelerator('x86_64', 'kvm', host({ kvmDevice: () => 'missing' })).accelerator).toBe('kvm')
})
