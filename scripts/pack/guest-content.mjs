// @ts-check
/**
 * The content of a guest package, `@coldboot/guest-<arch>`: a Debian kernel that is ready to boot, the modules that tests
 * often need, and a static busybox.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GUEST_ARCHITECTURES } from '../../packages/guest/dist/architectures.js'
import { PACKAGE_FORMAT } from '../../packages/guest/dist/guest-package.js'
import { bootableImage, readKernelPackage } from '../../packages/guest/dist/kernel-package-reader.js'
import { loadOrder, moduleName, parseBuiltIn, readModule } from '../../packages/guest/dist/modules.js'
import { run, StepError } from '../commands.mjs'
import { copyrightOf, openDebian, unpackDeb } from './debian.mjs'
import { PACKAGED_MODULES } from './guest-modules.mjs'

/** @typedef {keyof typeof GUEST_ARCHITECTURES} GuestArchitecture */
/** @typedef {import('./package-content.mjs').ContentPart} ContentPart */

/** Debian 12, whose kernel is used for the measurements in the documentation. */
const BOOKWORM = ['bookworm', 'bookworm-updates']
/** Debian has riscv64 since version 13. The security suite is often inconsistent on mirrors except for the first two. */
const SUITES = /** @type {Readonly<Record<GuestArchitecture, readonly string[]>>} */ ({
  x86_64: [...BOOKWORM, 'bookworm-security'],
  aarch64: [...BOOKWORM, 'bookworm-security'],
  i386: BOOKWORM,
  arm: BOOKWORM,
  ppc64: BOOKWORM,
  s390x: BOOKWORM,
  riscv64: ['trixie', 'trixie-updates'],
})

/** The sources that determine the content, in addition to the packages of Debian. */
export const GUEST_SOURCES = [
  ...['guest-content', 'guest-modules', 'debian', 'package-content'].map((name) => `${name}.mjs`),
  ...['architectures', 'flat-bzimage', 'guest-package', 'kernel-package-reader', 'kernel-payload', 'modules'].map(
    (name) => `../../packages/guest/src/${name}.ts`,
  ),
].map((path) => new URL(path, import.meta.url))

/**
 * Gathers the content from Debian's archive.
 * @param {{ arch: GuestArchitecture, scratch: string, report: (line: string) => void }} options `scratch`: an empty folder
 * @returns {Promise<import('./provide-content.mjs').Gathered>}
 */
export async function gatherGuest({ arch, scratch, report }) {
  const { debianName, image, kernelPackages } = GUEST_ARCHITECTURES[arch]
  const debian = await openDebian({ directory: scratch, architecture: debianName, suites: SUITES[arch], report })
  const { depends } = await debian.find(kernelPackages.generic ?? '')
  const kernelName = depends.find((name) => /^linux-image-\d/.test(name))
  if (kernelName === undefined) throw new StepError(`${kernelPackages.generic} depends on no kernel`)
  const packages = await Promise.all([kernelName, 'busybox-static', 'libc6'].map((name) => debian.find(name)))
  const [kernel, busybox, libc] =
    /** @type {[ContentPart['package'], ContentPart['package'], ContentPart['package']]} */ (packages)
  const [kernelDeb = '', busyboxDeb = '', libcDeb = ''] = await debian.download(packages)
  report(`Reading ${kernel.name}`)
  const parts = await readKernel(kernelDeb, image)
  const unpacked = join(scratch, 'unpacked')
  await unpackDeb(busyboxDeb, unpacked)
  await unpackDeb(libcDeb, unpacked)
  const program = await readOneOf(unpacked, ['bin/busybox', 'usr/bin/busybox'])
  const id = `${kernel.name}_${kernel.version}_${debianName}`.replace(/[^\w.+~-]/g, '_')
  const content = guestFiles({ arch, id, ...parts, busybox: { path: 'busybox', data: program } })
  return {
    files: new Map(content.map(({ path, data }) => [path, { data }])),
    parts: [
      { package: upstream(kernel), copyright: await copyrightIn(kernelDeb, kernel.name) },
      { package: busybox, copyright: await copyrightOf(unpacked, busybox.name) },
      // It is linked into busybox, in the version that busybox was built with.
      { package: await staticLibc(libc, busyboxDeb), copyright: await copyrightOf(unpacked, libc.name) },
    ],
  }
}

/** @param {string} directory @param {readonly string[]} names */
async function readOneOf(directory, names) {
  const found = names.map((name) => join(directory, name)).find((path) => existsSync(path))
  if (found === undefined) throw new StepError(`busybox-static has none of ${names.join(', ')}`)
  return readFile(found)
}

/**
 * @typedef {{ path: string, data: Uint8Array }} File
 * @typedef {{ release: string, image: Uint8Array, modules: readonly { module: ReturnType<typeof readModule>, data: Uint8Array }[],
 *   builtIn: readonly string[] }} KernelParts
 */

/**
 * @param {string} deb @param {typeof GUEST_ARCHITECTURES[GuestArchitecture]['image']} form
 * @returns {Promise<KernelParts>} all modules of the kernel
 */
async function readKernel(deb, form) {
  /** @type {KernelParts['modules'][number][]} */
  const modules = []
  /** @type {string[]} */
  let builtIn = []
  /** @type {{ release: string, data: Uint8Array } | undefined} */
  let packed
  await readKernelPackage(deb, async (file) => {
    const data = await file.read()
    if (file.kind === 'image') packed = { release: file.release, data }
    else if (file.kind === 'built-in') builtIn = parseBuiltIn(Buffer.from(data).toString())
    else modules.push({ module: readModule(file.path, data, sha256(data)), data })
  })
  if (packed === undefined) throw new StepError(`${deb} has no kernel`)
  return { release: packed.release, image: await bootableImage(packed.data, form), modules, builtIn }
}

/**
 * The files of a package except those about licences.
 * @param {KernelParts & { arch: GuestArchitecture, id: string, busybox: File }} input @returns {File[]}
 */
export function guestFiles({ arch, id, release, image, modules, builtIn, busybox }) {
  const all = Object.fromEntries(modules.map(({ module }) => [module.name, module]))
  const wanted = PACKAGED_MODULES.filter((name) => Object.hasOwn(all, name))
  const chosen = new Set(loadOrder({ modules: all, builtIn }, wanted).map(({ name }) => name))
  const files = modules
    .filter(({ module }) => chosen.has(module.name))
    .map(({ module, data }) => ({ path: `modules/${module.path}`, data }))
  const others = modules
    .filter(({ module }) => !chosen.has(module.name))
    .flatMap(({ module }) => [module.name, ...module.aliases.filter(isPlainAlias)])
  const index = {
    modules: Object.fromEntries([...chosen].sort().map((name) => [name, all[name]])),
    builtIn: [...builtIn].sort(),
    others: [...new Set(others.map(moduleName).concat(others.filter(isPlainAlias)))].sort(),
  }
  const kernel = { path: GUEST_ARCHITECTURES[arch].image === 'vmlinux' ? 'vmlinux' : 'vmlinuz', data: image }
  const indexFile = { path: 'modules.json', data: Buffer.from(`${JSON.stringify(index)}\n`) }
  const description = {
    format: PACKAGE_FORMAT,
    arch,
    id,
    release,
    kernel: facts(kernel),
    busybox: facts(busybox),
    modules: facts(indexFile),
  }
  const text = (/** @type {string} */ path, /** @type {string} */ content) => ({ path, data: Buffer.from(content) })
  return [
    kernel,
    busybox,
    indexFile,
    ...files,
    text('guest.json', `${JSON.stringify(description, undefined, 2)}\n`),
    // Otherwise pnpm adds the licence of the workspace.
    text(
      'LICENSE',
      'The files of this package are under the licences in COPYRIGHT. SOURCES says where their source is.\n',
    ),
  ]
}

/** Whether an alias is a plain name, such as `fs-xfs`, and not a pattern of devices. @param {string} alias */
function isPlainAlias(alias) {
  return /^[\w-]+$/.test(alias)
}

/** @param {File} file */
function facts({ path, data }) {
  return { path, sizeBytes: data.length, sha256: sha256(data) }
}

/** @param {Uint8Array} data */
function sha256(data) {
  return createHash('sha256').update(data).digest('hex')
}

/**
 * The source of a signed kernel: its package has only signatures, which are created for `linux` of the same version.
 * @param {ContentPart['package']} kernel @returns {ContentPart['package']}
 */
function upstream(kernel) {
  return kernel.source.startsWith('linux-signed')
    ? { ...kernel, source: 'linux', sourceVersion: kernel.version.replace(/\+b\d+$/, '') }
    : kernel
}

/** @param {ContentPart['package']} libc @param {string} busyboxDeb @returns {Promise<ContentPart['package']>} */
async function staticLibc(libc, busyboxDeb) {
  const built = await run(['dpkg-deb', '-f', busyboxDeb, 'Built-Using'], { env: process.env })
  const [, sourceVersion] = /(?:^|, )glibc \(= ([^)]+)\)/.exec(built.trim()) ?? []
  if (sourceVersion === undefined) throw new StepError(`${busyboxDeb} does not say which glibc it was built with`)
  return { ...libc, sourceVersion }
}

/** Reads the licence text of a kernel package without unpacking its 400 MB. @param {string} deb @param {string} name */
async function copyrightIn(deb, name) {
  const { readDeb } = await import('../../packages/guest/dist/dpkg-deb.js')
  let text = ''
  await readDeb(deb, async (member) => {
    if (member.path === `usr/share/doc/${name}/copyright`) text = Buffer.from(await member.read()).toString()
  })
  if (text === '') throw new StepError(`${name} has no copyright file`)
  return text
}
