import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { linuxGuest } from './linux-guest.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'linux-guest-'))
  vi.stubEnv('COLDBOOT_CACHE', directory)
  vi.stubEnv('COLDBOOT_KERNEL', undefined)
  vi.stubEnv('COLDBOOT_INITRAMFS', undefined)
})
afterEach(() => {
  vi.unstubAllEnvs()
})

describe('with COLDBOOT_KERNEL and COLDBOOT_INITRAMFS', () => {
  beforeEach(() => {
    vi.stubEnv('COLDBOOT_KERNEL', '/mine/vmlinuz')
    vi.stubEnv('COLDBOOT_INITRAMFS', '/mine/initramfs')
  })

  test('both are used as they are, and nothing is fetched', async () => {
    const onProgress = vi.fn()
    expect(await linuxGuest({ arch: 'aarch64', hostname: 'web', logLevel: 7, onProgress })).toEqual({
      arch: 'aarch64',
      kernel: '/mine/vmlinuz',
      initramfs: '/mine/initramfs',
      kernelArgs: expect.stringMatching(/^console=ttyAMA0 loglevel=7 panic=-1 .*hostname=web$/),
      memory: '256M',
      ready: 'coldboot# ',
      agent: false,
    })
    expect(onProgress).not.toHaveBeenCalled()
  })

  test.each([
    ['files', { files: { '/etc/motd': 'x' } }],
    ['init', { init: 'echo hi' }],
  ])('`%s` is refused instead of left out', async (option, options) => {
    await expect(linuxGuest(options)).rejects.toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        shortMessage: `\`${option}\` of linuxGuest cannot be had, because COLDBOOT_INITRAMFS is set`,
      }),
    )
  })

  test('`modules` are refused: they would have to fit the kernel', async () => {
    await expect(linuxGuest({ modules: ['9p'] })).rejects.toThrow(/COLDBOOT_KERNEL is set/)
  })
})

test('a system without dpkg is told what to provide', async () => {
  vi.stubEnv('PATH', directory)
  await expect(linuxGuest({ arch: 'x86_64' })).rejects.toThrow(
    expect.objectContaining({
      code: 'GUEST_KERNEL_UNAVAILABLE',
      shortMessage: expect.stringContaining('this host has none, so it is not Debian'),
      hint: expect.stringContaining('COLDBOOT_KERNEL and COLDBOOT_INITRAMFS'),
    }),
  )
})

test('a flavour that Debian does not have for an architecture is refused', async () => {
  await expect(linuxGuest({ arch: 's390x', flavour: 'cloud' })).rejects.toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      shortMessage: "Debian has no kernel of the flavour 'cloud' for s390x",
    }),
  )
})

describe('with a kernel of its own and the initramfs made here', () => {
  const busybox = Buffer.concat([
    // An ELF header that says: 64 bits, little-endian, no program headers, so no loader.
    Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]),
    Buffer.alloc(64),
    Buffer.from('\0[\0[[\0modprobe\0mount\0sh\0\0'),
  ])

  test('the guest has no modules, and grows with its files', async () => {
    vi.stubEnv('COLDBOOT_KERNEL', '/mine/vmlinuz')
    const { Cache } = await import('@coldboot/core')
    const cache = new Cache(directory)
    await cache.publish('busybox/s390x.json', JSON.stringify(await cache.publish('busybox/s390x', busybox)))
    const small = await linuxGuest({ arch: 's390x' })
    await writeFile(join(directory, 'large'), Buffer.alloc(40 * 2 ** 20))
    const large = await linuxGuest({ arch: 's390x', files: { '/opt/large': { source: join(directory, 'large') } } })
    expect(small.memory).toBe('256M')
    expect(large.memory).toBe('306M')
    expect(large.initramfs).not.toBe(small.initramfs)
    expect((await linuxGuest({ arch: 's390x' })).initramfs).toBe(small.initramfs)
  })
})
