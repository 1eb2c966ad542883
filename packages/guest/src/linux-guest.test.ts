import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { installGuestPackage, STATIC_BUSYBOX } from '../test/install-guest-package.ts'
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

  test('uses both files unchanged and downloads nothing', async () => {
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
  ])('refuses the option `%s`', async (option, options) => {
    await expect(linuxGuest(options)).rejects.toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        shortMessage: `linuxGuest: \`${option}\` is not possible, because COLDBOOT_INITRAMFS is set`,
      }),
    )
  })

  test('refuses `modules` for the kernel of COLDBOOT_KERNEL', async () => {
    await expect(linuxGuest({ modules: ['9p'] })).rejects.toThrow(/COLDBOOT_KERNEL is set/)
  })
})

test('names the variables to set when the archive is requested on a system without dpkg', async () => {
  vi.stubEnv('PATH', directory)
  const error: unknown = await linuxGuest({ arch: 'x86_64', source: 'archive' }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    code: 'GUEST_KERNEL_UNAVAILABLE',
    shortMessage: expect.stringContaining('this host has none, so it is not Debian'),
    hint: expect.stringContaining('COLDBOOT_KERNEL and COLDBOOT_INITRAMFS'),
  })
  expect(error).not.toHaveProperty('cause')
})

test('refuses a flavour that Debian lacks for an architecture', async () => {
  await expect(linuxGuest({ arch: 's390x', flavour: 'cloud' })).rejects.toThrow(
    expect.objectContaining({
      code: 'INVALID_OPTION',
      shortMessage: "Debian has no kernel of the flavour 'cloud' for s390x",
    }),
  )
})

describe('with an installed package', () => {
  // No other test installs the package of this architecture.
  const arch = 's390x'
  beforeEach(async () => {
    vi.stubEnv('PATH', directory)
    vi.spyOn(process, 'cwd').mockReturnValue(directory)
    onTestFinished(() => {
      vi.restoreAllMocks()
    })
    await installGuestPackage(directory, arch)
  })

  test('uses its kernel without the archive, and builds the same image from the same options', async () => {
    const guest = await linuxGuest({ arch })
    expect(guest.kernel).toBe(join(directory, 'node_modules/@coldboot/guest-s390x/vmlinuz'))
    const image = Buffer.from(await readFile(guest.initramfs)).toString('latin1')
    expect(image).toContain('lib/modules/6.1.0-1-test/kernel/virtio_pci.ko')
    expect(image).not.toContain('kernel/dummy.ko')
    expect((await linuxGuest({ arch })).initramfs).toBe(guest.initramfs)
  })

  test('adds the requested modules to the image', async () => {
    const { initramfs } = await linuxGuest({ arch, modules: ['dummy', 'built-in'] })
    expect(Buffer.from(await readFile(initramfs)).toString('latin1')).toContain('kernel/dummy.ko')
  })

  test('suggests the nearest name for an unknown module', async () => {
    await expect(linuxGuest({ arch, modules: ['dumy'] })).rejects.toThrow(
      expect.objectContaining({
        code: 'GUEST_MODULE_MISSING',
        shortMessage: 'The kernel has no module `dumy`; did you mean `dummy`?',
      }),
    )
  })

  test.each([
    ['a module that is only in the archive', { modules: ['rare'] }, 'has no module `rare`'],
    ['an alias of such a module', { modules: ['fs-rare'] }, 'has no module `fs-rare`'],
  ])('names the missing module for %s on a system without the archive', async (_, options, lacks) => {
    await expect(linuxGuest({ arch, ...options })).rejects.toThrow(
      expect.objectContaining({
        code: 'GUEST_KERNEL_UNAVAILABLE',
        shortMessage: expect.stringMatching(
          `The package @coldboot/guest-s390x ${lacks}, and Debian's archive cannot be used: .* not Debian`,
        ),
        hint: expect.stringContaining('Run on Debian or Ubuntu'),
      }),
    )
  })

  test('refuses a damaged file of the package, and explains how to replace it', async () => {
    await writeFile(join(directory, 'node_modules/@coldboot/guest-s390x/busybox'), 'damaged')
    await expect(linuxGuest({ arch })).rejects.toThrow(
      expect.objectContaining({
        code: 'GUEST_KERNEL_UNAVAILABLE',
        shortMessage: 'busybox of @coldboot/guest-s390x is damaged or missing',
        hint: expect.stringContaining('Install it again'),
      }),
    )
  })

  test('ignores a package whose kernel is truncated', async () => {
    await writeFile(join(directory, 'node_modules/@coldboot/guest-s390x/vmlinuz'), '')
    await expect(linuxGuest({ arch, source: 'package' })).rejects.toThrow(/@coldboot\/guest-s390x is not installed/)
  })
})

test('names the package to install when neither a package nor the archive is available', async () => {
  vi.stubEnv('PATH', directory)
  await expect(linuxGuest({ arch: 's390x' })).rejects.toThrow(
    expect.objectContaining({
      code: 'GUEST_KERNEL_UNAVAILABLE',
      shortMessage: expect.stringMatching(/^The package @coldboot\/guest-s390x is not installed, and Debian's archive/),
      hint: expect.stringContaining('npm install --save-dev @coldboot/guest-s390x'),
    }),
  )
})

describe('with COLDBOOT_KERNEL alone', () => {
  test('adds no modules, and needs more memory for large files', async () => {
    vi.stubEnv('COLDBOOT_KERNEL', '/mine/vmlinuz')
    const { Cache } = await import('@coldboot/core/internal')
    const cache = new Cache(directory)
    await cache.publish('busybox/s390x.json', JSON.stringify(await cache.publish('busybox/s390x', STATIC_BUSYBOX)))
    const small = await linuxGuest({ arch: 's390x' })
    await writeFile(join(directory, 'large'), Buffer.alloc(40 * 2 ** 20))
    const large = await linuxGuest({ arch: 's390x', files: { '/opt/large': { source: join(directory, 'large') } } })
    expect(small.memory).toBe('256M')
    expect(large.memory).toBe('306M')
    expect(large.initramfs).not.toBe(small.initramfs)
    expect((await linuxGuest({ arch: 's390x' })).initramfs).toBe(small.initramfs)
  })
})

test('shows the output and the command of a failing dpkg, but not the properties of its process error', async () => {
  await writeFile(join(directory, 'dpkg'), '#!/bin/sh\necho "dpkg: error: broken" >&2\nexit 2\n', { mode: 0o755 })
  vi.stubEnv('PATH', directory)
  const error: unknown = await linuxGuest({ arch: 's390x', source: 'archive' }).catch((reason: unknown) => reason)
  expect(error).toMatchObject({
    shortMessage: 'Cannot run dpkg: dpkg: error: broken',
    message: expect.stringContaining('Command failed with exit code 2: dpkg --print-architecture'),
  })
  expect(error).not.toHaveProperty('cause')
})
