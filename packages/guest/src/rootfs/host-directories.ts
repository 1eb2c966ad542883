/**
 * Selects the directories of the host that become the guest's root. Each is exported separately, so that the guest cannot reach
 * home directories, other file systems, devices and temporary files.
 */
import {
  accessSync,
  constants,
  type Dirent,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { OptionError } from '@coldboot/core'

/** An exported directory. */
export interface HostDirectory {
  /** Path on the host and in the guest. */
  readonly path: string
  /**
   * Whether QEMU refuses access to mounts below the directory. False on overlayfs, for example in containers, where QEMU would
   * also refuse files of the directory itself.
   */
  readonly refusesMounts: boolean
}

/** The guest's view of the host. */
export interface HostView {
  readonly directories: readonly HostDirectory[]
  /** Targets of symbolic links in the host's root directory, by path. */
  readonly links: Readonly<Record<string, string>>
  /** Mounts and home directories below exported directories, which are hidden in the guest. */
  readonly hidden: readonly string[]
}

/** Never exported: interfaces of the kernel, temporary files, mount points, and home directories. */
const NEVER = new Set(['proc', 'sys', 'dev', 'run', 'tmp', 'home', 'root', 'mnt', 'media', 'lost+found'])
/** System directories: home directories below them are hidden individually. */
const OF_THE_SYSTEM = new Set([
  'bin',
  'boot',
  'etc',
  'lib',
  'lib32',
  'lib64',
  'libx32',
  'opt',
  'sbin',
  'srv',
  'usr',
  'var',
])
/** Smallest uid of a human user; smaller ones belong to services. */
const FIRST_USER = 1000
const NOBODY = 65_534
/** Largest number of exported directories: each is a PCI device, and a machine has 32 slots. */
const MOST_DIRECTORIES = 24
/** Number of files that are checked to recognize overlayfs. */
const SAMPLE = 20

/**
 * Selects the directories.
 * @param show additional directories, with absolute paths
 * @param homes home directories @default those of the users of the host
 * @throws OptionError `FILE_MISSING`, `INVALID_OPTION`
 */
export function viewHost(show: readonly string[], homes: readonly string[] = homeDirectories()): HostView {
  const mounts = mountPoints()
  const tops = readdirSync('/', { withFileTypes: true }).filter(({ name }) => !NEVER.has(name))
  const links = Object.fromEntries(
    tops.filter((top) => top.isSymbolicLink()).map(({ name }) => [`/${name}`, readlinkSync(`/${name}`)]),
  )
  const paths = [...tops.filter((top) => isExported(top, homes)).map(({ name }) => `/${name}`), ...show]
  for (const path of show) requireShowable(path)
  if (paths.length > MOST_DIRECTORIES) {
    const message = `hostRoot would export ${paths.length} directories, but the limit is ${MOST_DIRECTORIES}`
    throw new OptionError('INVALID_OPTION', message, { hint: `They are ${paths.join(', ')}.` })
  }
  const isBelow = (path: string): boolean => paths.some((exported) => path.startsWith(`${exported}/`))
  const isShown = (path: string): boolean => show.some((shown) => path === shown || path.startsWith(`${shown}/`))
  const hidden = [...homes.filter((home) => !isShown(home)), ...mounts.filter((mount) => !show.includes(mount))]
  return {
    directories: paths.map((path) => ({ path, refusesMounts: isUniform(path) })),
    links,
    hidden: [...new Set(hidden.filter((path) => isBelow(path) && isDirectory(path)))].sort(),
  }
}

function isExported(top: Dirent, homes: readonly string[]): boolean {
  const path = `/${top.name}`
  if (!top.isDirectory() || statSync(path).dev !== statSync('/').dev || !isReadable(path)) return false
  const hasHomes = homes.some((home) => home === path || home.startsWith(`${path}/`))
  return !hasHomes || OF_THE_SYSTEM.has(top.name)
}

function requireShowable(path: string): void {
  if (!isDirectory(path))
    throw new OptionError('FILE_MISSING', `hostRoot: \`show\` has ${path}, which is not a directory`)
  if (!/^\/(?:proc|sys|dev)(?:\/|$)|^\/$/.test(path)) return
  throw new OptionError('INVALID_OPTION', `hostRoot: \`show\` has ${path}, which cannot be shared with a guest`)
}

/** Home directories of users and of root. */
function homeDirectories(): readonly string[] {
  const users = readText('/etc/passwd')
    .split('\n')
    .map((line) => line.split(':'))
    .filter(([, , uid]) => uid === '0' || (Number(uid) >= FIRST_USER && Number(uid) !== NOBODY))
    .map(([, , , , , home = '']) => home)
  return [homedir(), ...users].filter((home) => /^\/[^/]/.test(home)).map((home) => resolve(home))
}

/** Mount points of the host, without the root. */
function mountPoints(): readonly string[] {
  return readText('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((path) => path.startsWith('/') && path !== '/')
    .map((path) =>
      path.replaceAll(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8))),
    )
}

// On overlayfs, directories and files can have different device numbers.
function isUniform(path: string): boolean {
  const { dev } = statSync(path)
  return readdirSync(path)
    .slice(0, SAMPLE)
    .map((name) => lstatSync(join(path, name), { throwIfNoEntry: false }))
    .every((stats) => stats === undefined || !stats.isFile() || stats.dev === dev)
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK)
    return true
  } catch {
    return false
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
