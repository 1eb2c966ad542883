import { existsSync, globSync, mkdtempSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { makeBzImage, makeModuleOf, writeFiles } from '../../test/make-kernel.ts'
import { linuxGuest } from '../linux-guest.ts'
import { type Kernel, OwnKernel } from './kernel.ts'
import { type KernelOfOptions, kernelOf } from './kernel-of.ts'

const RELEASE = '6.12.0-rc3+'
const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const cacheDirectory = join(folder, 'cache')
let count = 0
const directory = (files: Readonly<Record<string, string | Uint8Array>>): string =>
  writeFiles(join(folder, `files${count++}`), files)

/** A build tree after `make`. Its `modules.order` has entries in the forms of older and newer kernels. */
const tree = (files: Readonly<Record<string, string | Uint8Array>> = {}): string =>
  directory({
    'arch/x86/boot/bzImage': makeBzImage(RELEASE),
    'include/config/kernel.release': `${RELEASE}\n`,
    'modules.order': 'kernel/fs/fat/fat.ko\nfs/fat/vfat.o\ndrivers/net/dummy.ko\nlib/unbuilt.ko\n',
    'modules.builtin': 'kernel/fs/ext4/ext4.ko\n',
    'fs/fat/fat.ko': makeModuleOf(RELEASE),
    'fs/fat/vfat.ko': makeModuleOf(RELEASE, 'depends=fat', 'alias=fs-vfat'),
    'drivers/net/dummy.ko': makeModuleOf(RELEASE),
    ...files,
  })

const modulesOf = async (kernel: Kernel, ...wanted: readonly string[]) => {
  const read = await OwnKernel.partsOf(kernel)?.readModules(wanted)
  return [read?.files.map(({ module }) => module.path), read?.builtIn]
}

describe('a build tree', () => {
  test('is read for its image, version and modules', async () => {
    const dir = tree()
    const kernel = await kernelOf({ dir, cacheDirectory })
    expect(kernel).toEqual({ arch: 'x86_64', release: RELEASE, image: join(dir, 'arch/x86/boot/bzImage') })
    const [paths, builtIn] = await modulesOf(kernel, 'dummy', 'fs-vfat', 'ext4')
    expect(paths).toEqual(['kernel/drivers/net/dummy.ko', 'kernel/fs/fat/fat.ko', 'kernel/fs/fat/vfat.ko'])
    expect(builtIn).toEqual(['ext4'])
    await expect(modulesOf(kernel, 'dumy')).rejects.toThrow(/no module `dumy`; did you mean `dummy`\?/)
  })

  test('is read for its System.map, except for the stub of Debian', async () => {
    const stub = 'ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n'
    const symbols = Array.from({ length: 20 }, (_, index) => `ffffffff8100${index + 1000} T f${index}\n`).join('')
    const dir = tree({ 'System.map': symbols })
    const kernel = await kernelOf({ dir, cacheDirectory })
    expect(kernel.systemMap).toBe(join(dir, 'System.map'))
    expect((await kernelOf({ dir: tree({ 'System.map': stub }), cacheDirectory })).systemMap).toBeUndefined()
  })

  test('loses its cached index after a month without use', async () => {
    const cache = join(folder, 'aging')
    const indexes = () => globSync('kernels/directories/*.json', { cwd: cache }).map((name) => join(cache, name))
    const read = async (dir: string) => modulesOf(await kernelOf({ dir, cacheDirectory: cache }), 'dummy')
    const [first, second] = [tree(), tree()]
    await read(first)
    const [old = ''] = indexes()
    const longAgo = new Date(Date.now() - 40 * 24 * 60 * 60 * 1000)
    utimesSync(old, longAgo, longAgo)
    await read(first)
    await read(second)
    expect(indexes()).toHaveLength(2)
    utimesSync(old, longAgo, longAgo)
    await read(tree())
    expect(indexes()).toHaveLength(2)
    expect(existsSync(old)).toBe(false)
  })

  test('has another kernel id after a module was rebuilt', async () => {
    const dir = tree()
    const id = async () => OwnKernel.partsOf(await kernelOf({ dir, cacheDirectory }))?.id
    const before = await id()
    expect(await id()).toBe(before)
    await modulesOf(await kernelOf({ dir, cacheDirectory }), 'dummy')
    writeFiles(dir, { 'drivers/net/dummy.ko': makeModuleOf(RELEASE, 'depends=fat') })
    expect(await id()).not.toBe(before)
    const [paths] = await modulesOf(await kernelOf({ dir, cacheDirectory }), 'dummy')
    expect(paths).toEqual(expect.arrayContaining(['kernel/fs/fat/fat.ko', 'kernel/drivers/net/dummy.ko']))
  })

  test('can be combined with installed modules, also compressed ones', async () => {
    const modules = directory({
      [`lib/modules/${RELEASE}/kernel/fs/a.ko.gz`]: gzipSync(makeModuleOf(RELEASE)),
      [`lib/modules/${RELEASE}/updates/b.ko`]: makeModuleOf(RELEASE, 'depends=a'),
    })
    const kernel = await kernelOf({ dir: tree(), modules, cacheDirectory })
    expect(await modulesOf(kernel, 'b')).toEqual([['kernel/fs/a.ko', 'updates/b.ko'], []])
  })

  test('can be an unpacked package', async () => {
    const files = {
      [`boot/vmlinuz-${RELEASE}`]: makeBzImage(RELEASE),
      [`lib/modules/${RELEASE}/kernel/a.ko`]: makeModuleOf(RELEASE),
    }
    const kernel = await kernelOf({ dir: directory(files), cacheDirectory })
    expect([kernel.release, await modulesOf(kernel, 'a')]).toEqual([RELEASE, [['kernel/a.ko'], []]])
  })
})

test('accepts an image without modules', async () => {
  const vmlinuz = join(directory({ vmlinuz: makeBzImage(RELEASE) }), 'vmlinuz')
  const kernel = await kernelOf({ vmlinuz, cacheDirectory })
  expect(kernel).toEqual({ arch: 'x86_64', release: RELEASE, image: vmlinuz })
  expect(await modulesOf(kernel)).toEqual([[], []])
  await expect(modulesOf(kernel, 'vfat')).rejects.toThrow(/no module `vfat`: it was passed without modules/)
})

describe('is refused', () => {
  const vmlinuz = (): string => join(directory({ vmlinuz: makeBzImage(RELEASE) }), 'vmlinuz')
  const other = (): string => directory({ 'kernel/a.ko': makeModuleOf('6.1.0') })
  test.each<[title: string, options: () => KernelOfOptions, code: string, message: RegExp]>([
    ['nothing', () => ({}), 'INVALID_OPTION', /exactly one of `deb`, `dir` and `vmlinuz`/],
    ['two sources', () => ({ dir: '.', vmlinuz: 'x' }), 'INVALID_OPTION', /exactly one of/],
    ['a package with modules', () => ({ deb: 'a', modules: 'b' }), 'INVALID_OPTION', /cannot be combined/],
    ['an unknown option', () => ({ vmlinux: 'x' }) as KernelOfOptions, 'UNKNOWN_OPTION', /did you mean `vmlinuz`/],
    ['a list without paths', () => ({ deb: [] }), 'INVALID_OPTION', /`deb` must be a path or a list of paths/],
    ['a missing file', () => ({ vmlinuz: '/nonexistent' }), 'FILE_MISSING', /kernelOf: `vmlinuz` does not exist/],
    ['a tree that was not built', () => ({ dir: directory({ Makefile: '' }) }), 'FILE_MISSING', /`dir` has no kernel/],
    [
      'a tree with kernels for two architectures',
      () => ({ dir: tree({ 'arch/arm64/boot/Image': 'x' }) }),
      'INVALID_OPTION',
      /several kernels: .*bzImage, .*arm64\/boot\/Image$/,
    ],
    [
      'a file that is not a kernel',
      () => ({ vmlinuz: join(directory({ file: 'text' }), 'file') }),
      'INVALID_OPTION',
      /is not a kernel image/,
    ],
    [
      'an image without a version and modules',
      () => ({ vmlinuz: join(directory({ file: makeBzImage('') }), 'file') }),
      'INVALID_OPTION',
      /does not show its version/,
    ],
    [
      'modules of another version',
      () => ({ vmlinuz: vmlinuz(), modules: other() }),
      'KERNEL_MISMATCH',
      /vmlinuz is Linux 6\.12\.0-rc3\+, but .* is of 6\.1\.0$/,
    ],
    [
      'a directory that only has other versions',
      () => ({ vmlinuz: vmlinuz(), modules: directory({ 'lib/modules/6.1.0/modules.dep': '' }) }),
      'KERNEL_MISMATCH',
      /has modules of Linux 6\.1\.0, but none of 6\.12\.0-rc3\+$/,
    ],
    [
      'a tree whose image is older than its version',
      () => ({ dir: tree({ 'include/config/kernel.release': '6.12.0-rc4' }) }),
      'KERNEL_MISMATCH',
      /bzImage is Linux 6\.12\.0-rc3\+, but .*kernel\.release is of 6\.12\.0-rc4$/,
    ],
  ])('%s', async (_title, options, code, message) => {
    const attempt = kernelOf({ ...options(), cacheDirectory })
    await expect(attempt).rejects.toThrow(
      expect.objectContaining({ code, shortMessage: expect.stringMatching(message) }),
    )
  })

  test('a tree with a module of an older build, when a guest needs it', async () => {
    const kernel = await kernelOf({ dir: tree({ 'drivers/net/dummy.ko': makeModuleOf('6.11.0') }), cacheDirectory })
    await expect(modulesOf(kernel, 'dummy')).rejects.toThrow(/dummy\.ko is a module of Linux 6\.11\.0, but others/)
  })
})

describe('linuxGuest', () => {
  test.each([
    ['a path as kernel', { kernel: '/boot/vmlinuz' }, /linuxGuest: `kernel` must be the result of `await kernelOf/],
    ['a kernel of another architecture', { arch: 'arm' }, /linuxGuest: `arch` is arm, but the kernel is for x86_64/],
    ['a flavour in addition', { flavour: 'cloud' }, /linuxGuest: `kernel` and `flavour` cannot be combined/],
  ])('refuses %s', async (_title, options, message) => {
    const kernel = await kernelOf({ dir: tree(), cacheDirectory })
    await expect(linuxGuest({ kernel, ...options } as object)).rejects.toThrow(message)
  })
})
