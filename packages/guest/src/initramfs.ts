/** Builds the guest's initramfs from busybox, kernel modules, startup files and the user's files. */
import { OptionError } from '@coldboot/core'
import { nodeCrypto } from '@coldboot/core/internal'
import { AGENT_PATH } from './agent-binary.ts'
import { appletNames } from './busybox.ts'
import { type CpioEntry, writeCpio } from './cpio.ts'
import { BUNDLED_MODULES, findDriversScript } from './device-modules.ts'
import type { GuestModules } from './guest-kernel.ts'
import { type InitFile, type InitOptions, initFiles } from './init-script.ts'
import { modulesAlias, modulesDep } from './modules.ts'

/** Content of an initramfs. */
export interface InitramfsParts {
  readonly agent: Uint8Array
  readonly busybox: Uint8Array
  /** Kernel release as in `uname -r`, the name of the module directory. */
  readonly release: string
  /** Undefined for a kernel without modules. */
  readonly modules: GuestModules | undefined
  readonly startup: Pick<InitOptions, 'modules' | 'init'>
  readonly files: readonly CpioEntry[]
}

const DIRECTORIES = ['proc', 'sys', 'dev', 'run', 'tmp', 'mnt', 'usr', 'lib', 'var']

/**
 * Returns the archive. The same parts produce the same bytes, in any order of `files`.
 * @throws OptionError `INVALID_OPTION` when the parent of a user's file is not a directory
 */
export function buildInitramfs(parts: InitramfsParts): Uint8Array {
  const entries = new Map<string, CpioEntry>()
  for (const entry of [...skeleton(parts), ...moduleEntries(parts), ...startupEntries(parts), ...parts.files]) {
    entries.set(entry.path, entry)
  }
  for (const path of entries.keys()) addParents(entries, path)
  return writeCpio([...entries.values()].sort((a, b) => (a.path < b.path ? -1 : 1)))
}

/**
 * A hash of the code that builds an initramfs: that of an archive with one sample of each kind of part. Hex. A part of the
 * cache key, so that images of other versions of coldboot are not used.
 */
export function recipeDigest(startup: InitramfsParts['startup']): string {
  const aliases = ['pci:v00001234d*', 'virtio:d00000001v*', 'virtio:d00000020v*']
  const files = BUNDLED_MODULES.map((name) => ({
    module: { name, path: `kernel/${name}.ko`, sha256: '', depends: [], softDepends: aliases.slice(0, 1), aliases },
    data: Buffer.from(name),
  }))
  const busybox = Buffer.from('\0[\0[[\0modprobe\0mount\0sh\0\0')
  const modules = { files, builtIn: ['built_in'] }
  return nodeCrypto()
    .createHash('sha256')
    .update(buildInitramfs({ agent: Buffer.from('agent'), busybox, release: 'r', modules, startup, files: [] }))
    .digest('hex')
}

function skeleton({ agent, busybox }: InitramfsParts): CpioEntry[] {
  return [
    // The root directory: the kernel would create it with the mode of /tmp.
    { type: 'directory', path: '.', mode: 0o755 },
    ...DIRECTORIES.map((path): CpioEntry => ({ type: 'directory', path, mode: 0o755 })),
    { type: 'directory', path: 'root', mode: 0o700 },
    { type: 'file', path: 'bin/busybox', mode: 0o755, data: busybox },
    { type: 'file', path: AGENT_PATH.slice(1), mode: 0o755, data: agent },
    { type: 'symlink', path: 'init', target: 'bin/busybox' },
    ...['sbin', 'usr/bin', 'usr/sbin'].map(
      (path): CpioEntry => ({ type: 'symlink', path, target: path === 'sbin' ? 'bin' : '../bin' }),
    ),
    // Programs other than the shell start commands by path.
    ...appletNames(busybox)
      .filter((name) => name !== 'busybox')
      .map((name): CpioEntry => ({ type: 'symlink', path: `bin/${name}`, target: 'busybox' })),
    // Used by init and for its first error messages, before devtmpfs is mounted.
    { type: 'character', path: 'dev/console', mode: 0o600, major: 5, minor: 1 },
    { type: 'character', path: 'dev/null', mode: 0o666, major: 1, minor: 3 },
  ]
}

function moduleEntries({ modules, release }: InitramfsParts): CpioEntry[] {
  if (!modules) return []
  const directory = `lib/modules/${release}`
  const file = (name: string, data: Uint8Array): CpioEntry => ({
    type: 'file',
    path: `${directory}/${name}`,
    mode: 0o644,
    data,
  })
  const text = (name: string, content: string): CpioEntry => file(name, Buffer.from(content))
  const all = modules.files.map(({ module }) => module)
  const index = { modules: Object.fromEntries(all.map((module) => [module.name, module])), builtIn: modules.builtIn }
  return [
    ...modules.files.map(({ module, data }) => file(module.path, data)),
    text('modules.dep', modulesDep(index, all)),
    text('modules.alias', modulesAlias(all)),
    text('modules.builtin', modules.builtIn.map((name) => `kernel/${name}.ko\n`).join('')),
  ]
}

function startupEntries({ modules, startup }: InitramfsParts): CpioEntry[] {
  const findDrivers = findDriversScript(modules?.files.map(({ module }) => module) ?? [])
  return initFiles({ ...startup, findDrivers }).map(initEntry)
}

function initEntry({ path, mode, text }: InitFile): CpioEntry {
  return { type: 'file', path, mode, data: Buffer.from(text) }
}

function addParents(entries: Map<string, CpioEntry>, path: string): void {
  const parent = path.slice(0, Math.max(0, path.lastIndexOf('/')))
  if (parent === '') return
  const existing = entries.get(parent)
  if (existing === undefined) {
    entries.set(parent, { type: 'directory', path: parent, mode: 0o755 })
    addParents(entries, parent)
  } else if (existing.type !== 'directory') {
    throw new OptionError(
      'INVALID_OPTION',
      `\`files\` has /${path}, but /${parent} is a ${existing.type}, not a directory`,
    )
  }
}
