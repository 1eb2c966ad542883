/** Checks the host's requirements for machines: Node.js, QEMU, acceleration, memory, the cache and temporary files. */
import { statSync } from 'node:fs'
import { mkdtemp, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type Architecture, ColdbootError } from '@coldboot/core'
import {
  chooseAccelerator,
  hostArchitecture,
  hostGuard,
  locateQemu,
  memoryLimit,
  messageOf,
  readEnvironment,
  templateStore,
} from '@coldboot/core/internal'
import { findGuestPackage, guestPackageName } from '@coldboot/guest/guest-package'

/** Result of one check. */
export interface Finding {
  /** `fine`; `slow`: machines run slower than possible; `missing`: machines cannot run. */
  readonly state: 'fine' | 'slow' | 'missing'
  readonly what: string
  /** The facts that were found, or advice. */
  readonly detail: string
}

/** Runs all checks. Starts no process except `qemu-system-… --version`. @param arch guest architecture @default the host's */
export async function examine(arch: Architecture | undefined = hostArchitecture()): Promise<readonly Finding[]> {
  const { qemu, kernel, accelerator, cacheDirectory } = readEnvironment()
  const node: Finding = { state: 'fine', what: 'Node.js', detail: process.version }
  if (arch === undefined) {
    return [
      node,
      { state: 'missing', what: 'QEMU', detail: `there is none for ${process.arch}; select a guest with --arch` },
    ]
  }
  const choice = chooseAccelerator(arch, accelerator)
  return [
    node,
    await qemuFinding(arch, qemu),
    guestFinding(arch, kernel),
    {
      state: choice.accelerator === 'tcg' ? 'slow' : 'fine',
      what: 'Acceleration',
      detail: [`${choice.accelerator}: ${choice.reason}`, choice.warning ?? []].flat().join('; '),
    },
    await guardFinding(),
    { state: 'fine', what: 'Memory', detail: `${Math.floor(memoryLimit() / 2 ** 20)} MiB may be used` },
    await cacheFinding(cacheDirectory),
    await temporaryFinding(),
  ]
}

/** Shows the mechanism that ends QEMU with its parent: a feature of the kernel, or else a shell for each QEMU. */
async function guardFinding(): Promise<Finding> {
  const { guard, reason } = await hostGuard()
  return { state: 'fine', what: 'Guard', detail: `${guard}: ${reason}` }
}

async function qemuFinding(arch: Architecture, asked: readonly string[] | undefined): Promise<Finding> {
  try {
    const found = await locateQemu(arch, asked)
    const origins = { asked: 'named by the environment', package: `from npm: ${found.package}`, path: 'on PATH' }
    const detail = `${found.version}, ${origins[found.origin]}, ${found.command.join(' ')}`
    return { state: 'fine', what: 'QEMU', detail }
  } catch (error) {
    if (!ColdbootError.is(error)) throw error
    return { state: 'missing', what: 'QEMU', detail: `${error.shortMessage}. ${error.hint}` }
  }
}

/** A missing guest package is not an error: kernels can come from Debian's archive or the user. */
function guestFinding(arch: Architecture, kernel: string | undefined): Finding {
  if (kernel !== undefined) return { state: 'fine', what: 'Guest', detail: `the kernel in COLDBOOT_KERNEL, ${kernel}` }
  const guest = findGuestPackage(arch)
  if (guest !== undefined) {
    return { state: 'fine', what: 'Guest', detail: `Linux ${guest.description.release}, from npm: ${guest.name}` }
  }
  const name = guestPackageName(arch)
  const detail = `${name} is not installed: add it, or the first test downloads a kernel from Debian's archive, with apt`
  return { state: 'slow', what: 'Guest', detail }
}

/** The default guest and templates need a writable cache. */
async function cacheFinding(directory: string): Promise<Finding> {
  const why = await unwritable(directory)
  if (why !== undefined) {
    const detail = `${directory} cannot be used: ${why}. Set COLDBOOT_CACHE to a folder that this user can write to.`
    return { state: 'missing', what: 'Cache', detail }
  }
  const templates = (await templateStore()).list()
  const bytes = templates.reduce((sum, { diskBytes }) => sum + diskBytes, 0)
  const detail = `${directory}, ${templates.length} ${templates.length === 1 ? 'template' : 'templates'}, ${(bytes / 2 ** 20).toFixed(0)} MiB`
  return { state: 'fine', what: 'Cache', detail }
}

/** Each machine has a private directory for its sockets and its log. */
async function temporaryFinding(): Promise<Finding> {
  const directory = tmpdir()
  const why = await unwritable(directory)
  if (why === undefined) return { state: 'fine', what: 'Temporary files', detail: directory }
  const detail = `${directory} cannot be used: ${why}. Set TMPDIR to a folder that this user can write to.`
  return { state: 'missing', what: 'Temporary files', detail }
}

/** Creates a folder in the directory, or in its nearest existing parent, because permissions alone do not tell. */
async function unwritable(directory: string): Promise<string | undefined> {
  try {
    await rmdir(await mkdtemp(join(nearest(directory), '.coldboot-doctor-')))
    return undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** Returns the directory, or its nearest existing parent. */
function nearest(directory: string): string {
  const stats = statSync(directory, { throwIfNoEntry: false })
  if (stats === undefined) return nearest(dirname(directory))
  if (!stats.isDirectory()) throw new Error(`${directory} is not a directory`)
  return directory
}

const SIGNS = { fine: '✓', slow: '!', missing: '✗' } as const

/** Formats one finding per line. */
export function formatFindings(findings: readonly Finding[]): string {
  return findings.map(({ state, what, detail }) => `${SIGNS[state]} ${what}: ${detail}`).join('\n')
}
