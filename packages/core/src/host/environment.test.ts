import { describe, expect, test } from 'vitest'
import { glibcTunables, readEnvironment } from './environment.ts'

describe('COLDBOOT_QEMU', () => {
  test('is parsed as shell words, quotes and blanks included', () => {
    expect(readEnvironment({ COLDBOOT_QEMU: `'/opt/my qemu/qemu' -L . -m 4096` }).qemu).toEqual([
      '/opt/my qemu/qemu',
      '-L',
      '.',
      '-m',
      '4096',
    ])
  })

  test('wins over UROOT_QEMU, which is read when it is empty', () => {
    expect(readEnvironment({ COLDBOOT_QEMU: 'a', UROOT_QEMU: 'b' }).qemu).toEqual(['a'])
    expect(readEnvironment({ COLDBOOT_QEMU: '', UROOT_QEMU: 'b -x' }).qemu).toEqual(['b', '-x'])
    expect(readEnvironment({}).qemu).toBeUndefined()
  })

  test('COLDBOOT_QEMU with an open quote is refused by name', () => {
    expect(() => readEnvironment({ COLDBOOT_QEMU: `'/opt/qemu` })).toThrow(
      /COLDBOOT_QEMU cannot be split into shell words/,
    )
  })
})

test('COLDBOOT_TIMEOUT_MULTIPLIER is a number above 0, by default 1', () => {
  expect(readEnvironment({}).timeoutMultiplier).toBe(1)
  expect(readEnvironment({ COLDBOOT_TIMEOUT_MULTIPLIER: '2.5' }).timeoutMultiplier).toBe(2.5)
  for (const value of ['0', '-1', 'fast', 'Infinity']) {
    expect(() => readEnvironment({ COLDBOOT_TIMEOUT_MULTIPLIER: value })).toThrow(value)
  }
})

test('COLDBOOT_ACCEL is one of the known accelerators', () => {
  expect(readEnvironment({ COLDBOOT_ACCEL: 'kvm' }).accelerator).toBe('kvm')
  expect(() => readEnvironment({ COLDBOOT_ACCEL: 'warp' })).toThrow(/kvm, hvf, tcg/)
})

test('the cache folder is COLDBOOT_CACHE, or else in the cache folder of the user', () => {
  expect(readEnvironment({ COLDBOOT_CACHE: '/c' }).cacheDirectory).toBe('/c')
  expect(readEnvironment({ XDG_CACHE_HOME: '/x' }).cacheDirectory).toBe('/x/coldboot')
  expect(readEnvironment({ XDG_CACHE_HOME: 'relative' }).cacheDirectory).toMatch(/^\/.*coldboot$/)
})

test.each([
  ['', 'glibc.malloc.hugetlb=1'],
  ['glibc.malloc.check=3', 'glibc.malloc.check=3:glibc.malloc.hugetlb=1'],
  ['glibc.malloc.hugetlb=0:glibc.malloc.check=3', 'glibc.malloc.hugetlb=0:glibc.malloc.check=3'],
])('the heap of QEMU uses huge pages, unless the user has decided: %j', (own, expected) => {
  expect(glibcTunables({ GLIBC_TUNABLES: own })).toBe(expected)
})
