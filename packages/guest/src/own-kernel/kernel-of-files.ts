/** Finds a kernel in a build tree, in an unpacked package, or in an image with a module directory. */
import { createHash } from 'node:crypto'
import { existsSync, globSync, readFileSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { OptionError } from '@coldboot/core'
import { type Cache, fileIdentity, requireDirectory, requireFile } from '@coldboot/core/internal'
import type { GuestKernel } from '../guest-kernel.ts'
import { type Kernel, OwnKernel } from './kernel.ts'
import { identifyKernel } from './kernel-image.ts'
import { type ModuleDirectory, openModuleDirectory, RELEASE_FILE } from './module-directory.ts'

/** Paths of the options of `kernelOf`. */
export interface KernelFiles {
  readonly dir: string | undefined
  readonly vmlinuz: string | undefined
  readonly modules: string | undefined
}

/** Paths of images in a build tree, the fastest to boot in QEMU first, then in an unpacked package. */
const IMAGES = [
  'arch/x86/boot/bzImage',
  'arch/arm64/boot/Image',
  'arch/arm/boot/zImage',
  'arch/riscv/boot/Image',
  'arch/s390/boot/bzImage',
  // A build for ppc64 has no other image. One for arm64 may only have the compressed image.
  'arch/arm64/boot/Image.gz',
  'arch/powerpc/boot/zImage',
  'boot/vmlinuz-*',
]

/** Largest System.map that is considered to have no symbols, bytes. */
const STUB_BYTES = 200

/** Implements `kernelOf` for `dir` and `vmlinuz`. @throws OptionError as `kernelOf` */
export async function kernelOfFiles({ dir, vmlinuz, modules }: KernelFiles, cache: Cache): Promise<Kernel> {
  const tree = dir === undefined ? undefined : requireDirectory('kernelOf: dir', dir)
  const image = tree === undefined ? (requireFile('kernelOf: vmlinuz', vmlinuz) ?? '') : imageIn(tree)
  const { arch, release: shown } = await identifyKernel(await readFile(image))
  if (arch === undefined) {
    throw new OptionError('INVALID_OPTION', `kernelOf: ${image} is not a kernel image`, {
      hint: 'Pass a bzImage, Image, zImage or vmlinux, such as /boot/vmlinuz-6.1.0-57-amd64.',
    })
  }
  const built = tree === undefined ? undefined : builtRelease(tree)
  requireSame(image, shown, built === undefined ? undefined : join(tree ?? '', RELEASE_FILE), built)
  const path = modules === undefined ? modulesIn(tree, shown) : moduleFolder(modules, shown ?? built)
  const directory = path === undefined ? undefined : await openModuleDirectory(path, cache)
  const release = shown ?? built ?? directory?.release
  if (release === undefined) {
    throw new OptionError('INVALID_OPTION', `kernelOf: ${image} does not show its version`, {
      hint: 'Pass its `modules` too, because their directory shows the version, or pass the build tree as `dir`.',
    })
  }
  requireSame(image, release, path, directory?.release)
  const id = createHash('sha256')
    .update(`${await fileIdentity(image)} ${directory?.identity}`)
    .digest('hex')
  const parts: GuestKernel = {
    id: `${release} ${id}`,
    release,
    image,
    readModules: (wanted) => (directory ?? NO_MODULES).read(wanted),
  }
  return new OwnKernel(arch, parts, tree === undefined ? undefined : systemMapIn(tree, release))
}

/** Finds the System.map of a build tree or an unpacked package. In Debian's packages it has no symbols, but names another package. */
function systemMapIn(tree: string, release: string): string | undefined {
  return ['System.map', `boot/System.map-${release}`]
    .map((name) => join(tree, name))
    .find((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > STUB_BYTES)
}

function imageIn(tree: string): string {
  const found = IMAGES.flatMap((pattern) => globSync(pattern, { cwd: tree })).map((path) => join(tree, path))
  const [first, second] = found
  const isPacked = second === `${first}.gz`
  if (first !== undefined && (second === undefined || isPacked)) return first
  if (second !== undefined) {
    throw new OptionError('INVALID_OPTION', `kernelOf: \`dir\` has several kernels: ${found.join(', ')}`, {
      hint: 'Pass one of them as `vmlinuz`, and its `modules`.',
    })
  }
  throw new OptionError('FILE_MISSING', `kernelOf: \`dir\` has no kernel: ${tree}`, {
    hint: `Run \`make\` first. It looks for ${IMAGES.join(', ')}.`,
  })
}

function builtRelease(tree: string): string | undefined {
  const file = join(tree, RELEASE_FILE)
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : undefined
}

/** Finds the module directory of a kernel in a build tree or an unpacked package. */
function modulesIn(tree: string | undefined, release: string | undefined): string | undefined {
  if (tree === undefined) return undefined
  if (existsSync(join(tree, RELEASE_FILE))) return tree
  return [`lib/modules/${release}`, `usr/lib/modules/${release}`]
    .map((path) => join(tree, path))
    .find((path) => existsSync(path))
}

/** Returns `modules` itself, or the directory of the kernel's version below it. */
function moduleFolder(modules: string, release: string | undefined): string {
  const path = requireDirectory('kernelOf: modules', modules)
  if (existsSync(join(path, RELEASE_FILE))) return path
  const parents = ['', 'lib/modules', 'usr/lib/modules'].map((folder) => join(path, folder))
  const found = parents.map((folder) => join(folder, release ?? '')).find((folder) => existsSync(folder))
  if (release !== undefined && found !== undefined) return found
  // The directory has modules of other versions only.
  const others = parents.flatMap((folder) => globSync('*/modules.{order,dep,builtin}', { cwd: folder }))
  const names = [...new Set(others.map((file) => basename(dirname(file))))]
  if (names.length === 0) return path
  throw new OptionError('KERNEL_MISMATCH', `${path} has modules of Linux ${names.join(', ')}, but none of ${release}`)
}

function requireSame(
  image: string,
  release: string | undefined,
  other: string | undefined,
  theirs: string | undefined,
): void {
  if (release === undefined || theirs === undefined || release === theirs) return
  throw new OptionError('KERNEL_MISMATCH', `${image} is Linux ${release}, but ${other} is of ${theirs}`)
}

const NO_MODULES: Pick<ModuleDirectory, 'read'> = {
  read: async (wanted) => {
    const [name] = wanted
    if (name === undefined) return { files: [], builtIn: [] }
    throw new OptionError(
      'GUEST_MODULE_MISSING',
      `The kernel has no module \`${name}\`: it was passed without modules`,
      {
        hint: 'Pass the directory of its modules to `kernelOf` as `modules`.',
      },
    )
  },
}
