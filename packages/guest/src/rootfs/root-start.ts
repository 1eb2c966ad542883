/** Selects the first program of a root file system: its init, the command of a container image, or shells on the console. */
import { OptionError } from '@coldboot/core'
import { readRange } from './decompressed.ts'
import type { RootCommand, RootStart } from './root-script.ts'
import type { RootFile, RootTree } from './root-tree.ts'

/** Configuration of a container image, with Docker's defaults. */
export interface ImageConfig {
  readonly env: Readonly<Record<string, string>>
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  /** Path in the image. */
  readonly directory: string
  /** `name`, `name:group`, or numbers. Empty for root. */
  readonly user: string
}

/** The option `init` of `rootfs`. */
export type RootInit = string | readonly string[] | false

/** Docker's default of PATH. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Paths of init that the kernel tries. */
const INITS = ['/sbin/init', '/etc/init', '/bin/init', '/init']
const LARGEST_TABLE = 4 * 2 ** 20

/**
 * Selects the program by the option, else by the configuration, else by the files.
 * @param config undefined for a source that is not a container image
 * @throws OptionError `INVALID_OPTION` when the root lacks the program, the user or the directory
 */
export async function planStart(
  tree: RootTree,
  config: ImageConfig | undefined,
  init: RootInit | undefined,
): Promise<RootStart> {
  if (init === false) return shell(tree)
  if (typeof init === 'string') return { kind: 'init', argv: [requireProgram(tree, init, DEFAULT_PATH)] }
  const argv = init ?? [...(config?.entrypoint ?? []), ...(config?.command ?? [])]
  if (init === undefined && (argv.length === 0 || isBareShell(argv))) {
    const found = await findInit(tree, argv.length > 0)
    return found === undefined ? shell(tree) : { kind: 'init', argv: [found] }
  }
  const { PATH: path = DEFAULT_PATH } = config?.env ?? {}
  const program = requireProgram(tree, argv[0] ?? '', path, config?.directory)
  if (init === undefined && isInit(tree, program)) return { kind: 'init', argv: [program, ...argv.slice(1)] }
  return { kind: 'command', command: await commandFor(tree, config, [program, ...argv.slice(1)]) }
}

/** Returns the home directory of root: that of `/etc/passwd` if it exists, else `/`. */
export async function homeOfRoot(tree: RootTree): Promise<string> {
  const home = (await readTable(tree, 'etc/passwd')).find(([name]) => name === 'root')?.[5] ?? '/root'
  return directoryPath(tree, home) ?? '/'
}

/** Whether the root has /bin/sh, with which the agent starts commands. */
export function hasShell(tree: RootTree): boolean {
  return findProgram(tree, '/bin/sh') !== undefined
}

function shell(tree: RootTree): RootStart {
  if (hasShell(tree)) return { kind: 'shell' }
  throw new OptionError('INVALID_OPTION', 'rootfs: the source has neither an init nor a shell', {
    hint: 'Name the command to run: `init: ["/path/of/the/program", "argument"]`.',
  })
}

async function commandFor(
  tree: RootTree,
  config: ImageConfig | undefined,
  argv: readonly string[],
): Promise<RootCommand> {
  const directory = directoryPath(tree, config?.directory ?? '/')
  if (directory === undefined) {
    throw new OptionError('INVALID_OPTION', `rootfs: the working directory ${config?.directory} is not in the image`)
  }
  return { argv, directory, ...(await userIds(tree, config?.user ?? '')) }
}

/** Recognizes the `Cmd` of base images: a shell without arguments. */
function isBareShell(argv: readonly string[]): boolean {
  return argv.length === 1 && /^(?:.*\/)?(?:sh|bash|dash|ash)$/.test(argv[0] ?? '')
}

function isInit(tree: RootTree, program: string): boolean {
  if (/\/(?:init|systemd)$/.test(program)) return true
  const node = tree.find(program.split('/'))
  return INITS.some((path) => tree.find(path.split('/')) === node)
}

/**
 * Finds a usable init. Ignores that of busybox without a configuration, because it is in every image with busybox.
 * @param isImage whether the source is a container image that states a shell as its command
 */
async function findInit(tree: RootTree, isImage: boolean): Promise<string | undefined> {
  for (const path of INITS) {
    if (findProgram(tree, path) === undefined) continue
    const found = tree.resolve(path.split('/'))
    const isBusybox =
      found?.names.at(-1)?.startsWith('busybox') === true || found?.node === tree.find(['bin', 'busybox'])
    if (!isBusybox || (!isImage && (await hasStartOfBusybox(tree)))) return path
  }
  return undefined
}

// Lines are `id:runlevels:action:process`. Without an inittab, the init of busybox runs /etc/init.d/rcS.
async function hasStartOfBusybox(tree: RootTree): Promise<boolean> {
  const table = await readTable(tree, 'etc/inittab')
  const [, , , process = '/etc/init.d/rcS'] = table.find(([, , action]) => action === 'sysinit') ?? []
  return findProgram(tree, process.trim().split(/\s+/)[0] ?? '') !== undefined
}

function requireProgram(tree: RootTree, program: string, path: string, directory = '/'): string {
  const candidates = program.startsWith('/')
    ? [program]
    : program.includes('/')
      ? [`${directory}/${program}`]
      : path.split(':').map((folder) => `${folder}/${program}`)
  const found = candidates.find((candidate) => findProgram(tree, candidate) !== undefined)
  if (found !== undefined) return found.replaceAll(/\/+/g, '/')
  throw new OptionError('INVALID_OPTION', `rootfs: the program ${JSON.stringify(program)} is not in the source`, {
    hint: 'Set `init` to the path of a program that it has, to a command with its arguments, or to false for a shell.',
  })
}

function findProgram(tree: RootTree, path: string): RootFile | undefined {
  const node = tree.find(path.split('/'))
  return node?.type === 'file' && (node.mode & 0o111) !== 0 ? node : undefined
}

function directoryPath(tree: RootTree, path: string): string | undefined {
  const found = tree.resolve(path.split('/'))
  return found?.node.type === 'directory' ? `/${found.names.join('/')}` : undefined
}

async function userIds(tree: RootTree, user: string): Promise<{ readonly uid: number; readonly gid: number }> {
  const [name = '', group] = user.split(':')
  if (name === '') return { uid: 0, gid: 0 }
  const users = await readTable(tree, 'etc/passwd')
  const known = users.find(([entry, , id]) => entry === name || id === name)
  const uid = known?.[2] ?? name
  const groups = group === undefined ? [] : await readTable(tree, 'etc/group')
  const gid = group === undefined ? (known?.[3] ?? '0') : (groups.find(([entry]) => entry === group)?.[2] ?? group)
  if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid)) {
    throw new OptionError('INVALID_OPTION', `rootfs: the image has no user ${JSON.stringify(user)}`)
  }
  return { uid: Number(uid), gid: Number(gid) }
}

/** Returns the fields of the lines of a table such as /etc/passwd. */
async function readTable(tree: RootTree, path: string): Promise<readonly (readonly string[])[]> {
  const node = tree.find(path.split('/'))
  if (node?.type !== 'file' || node.size > LARGEST_TABLE) return []
  const text = (await readRange(node)).toString('utf8')
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(':'))
}
