/** Tests of `kernelOf` with Debian packages, which need `dpkg-deb`, and of the boot of a kernel with its modules. */
import { execFileSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { VM } from '@coldboot/core'
import { afterAll, describe, expect, test } from 'vitest'
import { makeBzImage, makeModuleOf, writeFiles } from '../../test/make-kernel.ts'
import { findGuestPackage, type PackagedModules } from '../guest-package.ts'
import { linuxGuest } from '../linux-guest.ts'
import { type Kernel, OwnKernel } from './kernel.ts'
import { kernelOf } from './kernel-of.ts'

const RELEASE = '6.12.0-rc3+'
const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

const cacheDirectory = join(folder, 'cache')
let count = 0
const directory = (files: Readonly<Record<string, string | Uint8Array>>): string =>
  writeFiles(join(folder, `files${count++}`), files)

const modulesOf = async (kernel: Kernel, ...wanted: readonly string[]) => {
  const read = await OwnKernel.partsOf(kernel)?.readModules(wanted)
  return [read?.files.map(({ module }) => module.path), read?.builtIn]
}

describe('Debian packages', () => {
  const pack = (files: Readonly<Record<string, string | Uint8Array>>): string => {
    const control = `Package: linux\nVersion: 1\nArchitecture: amd64\nMaintainer: me <me@host>\nDescription: test\n`
    const source = directory({ ...files, 'DEBIAN/control': control })
    execFileSync('dpkg-deb', ['--build', '--root-owner-group', '-Znone', source, `${source}.deb`])
    return `${source}.deb`
  }
  const image = { [`boot/vmlinuz-${RELEASE}`]: makeBzImage(RELEASE) }
  const modules = (release: string) => ({
    [`lib/modules/${release}/kernel/rare.ko`]: makeModuleOf(release, 'depends=vfat'),
    [`lib/modules/${release}/kernel/vfat.ko`]: makeModuleOf(release),
  })

  test.each([
    ['one package', () => pack({ ...image, ...modules(RELEASE) })],
    ['one for the image and one for the modules', () => [pack(image), pack(modules(RELEASE))]],
  ])('are unpacked only once: %s', async (_title, make) => {
    const deb = make()
    const steps: string[] = []
    const onProgress = ({ step }: { readonly step: string }): unknown => steps.push(step)
    const kernel = await kernelOf({ deb, cacheDirectory, onProgress })
    expect(kernel).toMatchObject({ arch: 'x86_64', release: RELEASE })
    expect(await modulesOf(kernel, 'rare')).toEqual([['kernel/vfat.ko', 'kernel/rare.ko'], []])
    expect(steps).toEqual(['unpack', 'kernel'])
    expect(await kernelOf({ deb, cacheDirectory, onProgress })).toEqual(kernel)
    expect(steps).toHaveLength(2)
  })

  test('are removed from the cache after a month without use', async () => {
    const cache = join(folder, 'aging')
    const age = (days: number): void => {
      const time = new Date(Date.now() - days * 24 * 60 * 60 * 1000)
      for (const name of globSync('kernels/packages/*.json', { cwd: cache })) utimesSync(join(cache, name), time, time)
    }
    const kept = () => readdirSync(join(cache, 'kernels/packages')).toSorted()
    const deb = pack({ ...image, ...modules(RELEASE) })
    const used = await kernelOf({ deb, cacheDirectory: cache })
    const key = basename(dirname(used.image))
    age(40)
    // Updates the time of its last use.
    await kernelOf({ deb, cacheDirectory: cache })
    await kernelOf({ deb: pack(image), cacheDirectory: cache })
    expect(kept()).toEqual(expect.arrayContaining([key, `${key}.json`]))
    expect(kept()).toHaveLength(4)
    age(40)
    const latest = await kernelOf({ deb: pack(image), cacheDirectory: cache })
    const last = basename(dirname(latest.image))
    expect(kept()).toEqual([last, `${last}.json`])
    expect(existsSync(latest.image)).toBe(true)
  })

  test('are refused without a kernel, and with modules of another kernel', async () => {
    await expect(kernelOf({ deb: pack(modules(RELEASE)), cacheDirectory })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      shortMessage: expect.stringContaining('`deb` has no kernel: '),
    })
    await expect(kernelOf({ deb: [pack(image), pack(modules('6.1.0'))], cacheDirectory })).rejects.toMatchObject({
      code: 'KERNEL_MISMATCH',
      shortMessage: `The packages have files of several kernels: ${RELEASE}, 6.1.0`,
    })
  })
})

const guest = findGuestPackage('x86_64')

test.skipIf(guest === undefined)('boots the kernel of a build tree with its modules', async () => {
  if (guest === undefined) return
  const read = (path: string): Buffer => readFileSync(join(guest.directory, path))
  const { kernel, modules, release } = guest.description
  const index = JSON.parse(read(modules.path).toString()) as PackagedModules
  const paths = Object.values(index.modules).map(({ path }) => path)
  const dir = directory({
    'arch/x86/boot/bzImage': read(kernel.path),
    'include/config/kernel.release': `${release}\n`,
    'modules.order': paths.map((path) => `${path}\n`).join(''),
    'modules.builtin': index.builtIn.map((name) => `kernel/${name}.ko\n`).join(''),
    ...Object.fromEntries(paths.map((path) => [path.replace('kernel/', ''), read(`modules/${path}`)])),
  })
  const found = await kernelOf({ dir, cacheDirectory })
  expect(found).toMatchObject({ arch: 'x86_64', release })
  await using vm = await VM.start({ ...(await linuxGuest({ kernel: found, modules: ['vfat'] })), template: 'off' })
  expect((await vm.run('uname -r; grep -o ^vfat /proc/modules')).stdout).toBe(`${release}\nvfat\n`)
})
