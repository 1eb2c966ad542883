// @ts-check
/** Gathers the content of a package of QEMU from Debian's packages: programs, libraries, modules, firmware. */
import { readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { StepError } from '../commands.mjs'
import { readElf } from './elf.mjs'
import { gatherFirmware } from './firmware.mjs'
import { GUESTS, HOSTS, MODULES } from './qemu-packages.mjs'

/** Replaces `/usr` if the running program, which is the dynamic loader, is in `lib/` (get_relocated_path in QEMU's util/cutils.c). */
const BUNDLE = 'lib/qemu-bundle/usr/'

const LAUNCHERS = new URL('../../packages/qemu/launcher/bin/', import.meta.url)

/**
 * The content, for `writeContent`.
 * @param {import('./debian-files.mjs').DebianFiles} debian of the host's architecture
 * @param {{ host: string, guest: string }} package of `QEMU_PACKAGES`
 */
export async function gatherQemu(debian, { host: hostName, guest: guestName }) {
  const host = HOSTS[hostName]
  const guest = GUESTS[guestName]
  if (!host || !guest) throw new StepError(`QEMU has no package for ${hostName} hosts and ${guestName} guests`)
  await debian.add(guest.debian)
  const program = debian.get(`usr/bin/${guest.program}`)
  const moduleFolder = `${host.triplet}/qemu`
  const modules = MODULES.map((name) => /** @type {const} */ ([name, debian.get(`usr/lib/${moduleFolder}/${name}.so`)]))
  const libraries = await debian.libraries([program, ...modules.map(([, file]) => file)], host.triplet)

  const launcher = readFileSync(new URL(host.qemu, LAUNCHERS))
  /** @type {Map<string, import('./package-content.mjs').ContentFile>} */
  const files = new Map([
    [`bin/${guest.program}`, { data: launcher, executable: true }],
    ['bin/coldboot-tie', { data: launcher, executable: true }],
  ])
  /** @type {Map<string, import('./debian.mjs').DebianPackage>} */
  const used = new Map()
  const take = (
    /** @type {string} */ path,
    /** @type {import('./debian-files.mjs').FoundFile} */ file,
    executable = false,
  ) => {
    files.set(path, { data: file.data, executable })
    used.set(file.package.name, file.package)
  }
  take(`libexec/${guest.program}`, program, true)
  for (const [name, file] of modules) take(`${BUNDLE}lib/${moduleFolder}/${name}.so`, file)
  const loader = posix.basename(readElf(program.data)?.interpreter ?? '')
  for (const [name, file] of libraries) take(`lib/${name}`, file, name === loader)
  for (const path of guest.data) take(BUNDLE + path, debian.get(`usr/${path}`))
  if (guest.uefi !== undefined) for (const [path, file] of gatherFirmware(debian, guest.uefi)) take(BUNDLE + path, file)

  const parts = []
  for (const [name, debianPackage] of used) {
    parts.push({ package: debianPackage, copyright: await debian.copyright(name) })
  }
  for (const [path, { data }] of files) refuseForeign(path, data, host.qemu)
  return { files, parts }
}

/** @param {string} path @param {Uint8Array} data @param {string} machine */
function refuseForeign(path, data, machine) {
  const elf = path.startsWith(`${BUNDLE}share/`) ? undefined : readElf(data)
  if (elf && elf.machine !== machine)
    throw new StepError(`${path} is for ${elf.machine}, but the package is for ${machine}`)
  if (elf?.hasSymbols) throw new StepError(`${path} is not stripped`)
}
