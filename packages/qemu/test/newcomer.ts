/**
 * The environment of a new user: an account without root privileges, a project in a new folder, the packages of this workspace
 * installed by npm from tarballs, and a PATH with only Node.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parse } from 'yaml'

const WORKSPACE = fileURLToPath(new URL('../../..', import.meta.url))
const PACKS = join(WORKSPACE, '.packs')
/** User and group 65534, if the tests run as root. */
const USER = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}

/** Result of a command. */
export interface NewcomerRun {
  readonly exitCode: number | null
  /** Standard output and error. */
  readonly output: string
  readonly seconds: number
}

/** The environment. Disposing it removes its files. */
export interface Newcomer extends AsyncDisposable {
  /** Home folder of the user. Its name contains a space. */
  readonly home: string
  /** The project's folder. */
  readonly project: string
  /** Folder with the tarballs. */
  readonly packs: string
  /** Sizes in bytes. */
  readonly size: { readonly packed: number; readonly installed: number }
  write(file: string, text: string): void
  /** Creates an empty folder beside the project. @returns its path */
  folder(name: string): string
  writeIn(directory: string, file: string, text: string): void
  /** Runs a script of Node in a folder, with access to the registry. */
  online(directory: string, ...args: readonly string[]): Promise<NewcomerRun>
  /** Creates another project, like `npm init -y`, with the same installed packages. */
  emptyProject(): EmptyProject
  /** Runs Node in the project, with nothing else on PATH. */
  node(...args: readonly string[]): Promise<NewcomerRun>
  /** Like `node`, in a root file system that contains only this home, Node and its libraries. Requires root. */
  nodeInRoot(...args: readonly string[]): Promise<NewcomerRun>
}

/** A project with installed packages whose only file is package.json. Disposing it removes it. */
export interface EmptyProject extends Disposable {
  write(file: string, text: string): void
  /** Undefined if there is no such file. */
  read(file: string): string | undefined
  /** Whether a package is installed. */
  has(name: string): boolean
  node(...args: readonly string[]): Promise<NewcomerRun>
}

/** Packs the packages for this host, and installs them. @param registry further packages of the catalog to install */
export async function makeNewcomer(registry: readonly string[]): Promise<Newcomer> {
  const run = promisify(execFile)
  // The highest level takes four times as long, and reduces the tarballs by one percent.
  const pack = [join(WORKSPACE, 'scripts', 'pack-all.mjs'), '--host', '--gzip-level', '6']
  await run(process.execPath, pack, { cwd: WORKSPACE })
  const tarballs = readdirSync(PACKS).map((name) => join(PACKS, name))
  // Only its owner can enter the temporary folder of a test run.
  if (USER.uid !== undefined && (statSync(tmpdir()).mode & 0o777) === 0o700) chmodSync(tmpdir(), 0o711)
  const home = realpathSync(mkdtempSync(join(tmpdir(), 'coldboot newcomer ')))
  const folder = (name: string): string => {
    // A retried test begins with an empty folder.
    rmSync(join(home, name), { recursive: true, force: true })
    mkdirSync(join(home, name))
    return join(home, name)
  }
  const [bin, project, tmp, own, packs] = ['bin', 'my project', 'tmp', 'own', 'packs'].map(folder)
  copyFileSync(process.execPath, join(bin ?? '', 'node'))
  for (const path of tarballs) copyFileSync(path, join(packs ?? '', path.slice(PACKS.length + 1)))
  chmodSync(home, 0o755)
  for (const path of [project, tmp, own]) if (USER.uid !== undefined) chownSync(path ?? '', USER.uid, USER.gid)
  const giveToUser = (path: string): void => {
    if (USER.uid !== undefined) chownSync(path, USER.uid, USER.gid)
  }
  const writeIn = (directory: string, file: string, text: string): void => {
    const path = join(directory, file)
    if (!existsSync(dirname(path))) {
      mkdirSync(dirname(path))
      giveToUser(dirname(path))
    }
    writeFileSync(path, text)
    giveToUser(path)
  }
  const write = (file: string, text: string): void => writeIn(project ?? '', file, text)
  write('package.json', '{ "name": "my-project", "private": true, "type": "module" }\n')
  const env = { PATH: bin, HOME: own, TMPDIR: tmp, CI: '1', NO_COLOR: '1', COLUMNS: '120' }

  const runCommand = async (
    command: readonly string[],
    extra: object,
    user: object,
    cwd = project,
  ): Promise<NewcomerRun> => {
    const [file = '', ...args] = command
    const start = performance.now()
    const child = spawn(file, args, {
      cwd,
      env: { ...env, ...extra },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...user,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    const [exitCode] = (await once(child, 'close')) as [number | null]
    return { exitCode, output, seconds: (performance.now() - start) / 1000 }
  }

  const catalog = (parse(readFileSync(join(WORKSPACE, 'pnpm-workspace.yaml'), 'utf8')) as Catalog).catalog
  const wanted = [
    ...tarballs.map((path) => join(packs ?? '', path.slice(PACKS.length + 1))),
    ...registry.map((name) => `${name}@${catalog[name]}`),
  ]
  const installed = await runCommand(
    [
      join(bin ?? '', 'node'),
      npmCli(),
      'install',
      '--save-dev',
      '--no-audit',
      '--no-fund',
      '--ignore-scripts',
      ...wanted,
    ],
    { ...networkOf(process.env), npm_config_cache: join(tmp ?? '', 'npm') },
    USER,
  )
  if (installed.exitCode !== 0) throw new Error(`npm install failed:\n${installed.output}`)
  rmSync(join(tmp ?? '', 'npm'), { recursive: true, force: true })

  return {
    home,
    project: project ?? '',
    packs: packs ?? '',
    size: {
      packed: sum(tarballs.map((path) => statSync(path).size)),
      installed: sizeOf(join(project ?? '', 'node_modules')),
    },
    write,
    folder(name) {
      const path = folder(name)
      giveToUser(path)
      return path
    },
    writeIn,
    online: (directory, ...args) =>
      runCommand([join(bin ?? '', 'node'), ...args], networkOf(process.env), USER, directory),
    emptyProject() {
      const directory = mkdtempSync(join(home, 'another project '))
      giveToUser(directory)
      // The output of npm 11. Older versions omit `type`, with the same meaning.
      writeIn(directory, 'package.json', '{ "name": "another-project", "version": "1.0.0", "type": "commonjs" }\n')
      symlinkSync(join(project ?? '', 'node_modules'), join(directory, 'node_modules'))
      return {
        write: (file, text) => writeIn(directory, file, text),
        read: (file) => (existsSync(join(directory, file)) ? readFileSync(join(directory, file), 'utf8') : undefined),
        has: (name) => existsSync(join(directory, 'node_modules', name)),
        node: (...args) => runCommand([join(bin ?? '', 'node'), ...args], {}, USER, directory),
        [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }),
      }
    },
    node: (...args) => runCommand([join(bin ?? '', 'node'), ...args], {}, USER),
    nodeInRoot: (...args) => runCommand(inRoot(home, project ?? '', [join(bin ?? '', 'node'), ...args]), {}, {}),
    async [Symbol.asyncDispose]() {
      rmSync(home, { recursive: true, force: true })
    },
  }
}

interface Catalog {
  readonly catalog: Readonly<Record<string, string>>
}

/** Path of the script of the npm on PATH. */
function npmCli(): string {
  const folders = (process.env['PATH'] ?? '').split(':')
  for (const folder of folders) {
    try {
      return realpathSync(join(folder, 'npm'))
    } catch {
      // Not in this folder: tries the next one.
    }
  }
  throw new Error('There is no npm on PATH')
}

/** Variables with which this host reaches the registry. */
function networkOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const wanted = /^(?:https?_proxy|no_proxy|npm_config_(?:registry|cafile)|NODE_EXTRA_CA_CERTS|SSL_CERT_\w+)$/i
  return Object.fromEntries(Object.entries(env).filter(([name]) => wanted.test(name)))
}

/**
 * A command in its own root file system, with kernel file systems, the loader and the libraries of Node, and the home. It runs
 * in a mount namespace, so that the kernel removes its mounts at its end.
 */
function inRoot(home: string, project: string, command: readonly string[]): readonly string[] {
  const root = join(home, 'root')
  const script = [
    'set -e; root=$1 home=$2 project=$3; shift 3',
    'mkdir -p "$root/proc" "$root/dev" "$root/tmp" "$root$home"; chmod 1777 "$root/tmp"',
    // Native modules of Vitest need libraries too. IFS is a newline, because the paths contain spaces.
    'IFS="\n"; libraries=$(find "$1" "$project/node_modules" "(" -name node -o -name "*.node" ")" -type f -exec ldd {} + 2>/dev/null)',
    'for file in $(echo "$libraries" | grep -o "/[^ ]*\\.so[^ ]*" | sort -u); do mkdir -p "$root${file%/*}"; cp -L "$file" "$root$file"; done',
    'mount -t proc proc "$root/proc"; mount --rbind /dev "$root/dev"; mount --bind "$home" "$root$home"',
    'exec chroot --userspec=65534:65534 "$root" "$1" --input-type=module --eval \'process.chdir(process.argv[1])',
    'const { spawnSync } = await import("node:child_process")',
    'const [, , file, ...args] = process.argv',
    'process.exit(spawnSync(file, args, { stdio: "inherit" }).status ?? 1)\' "$project" "$@"',
  ].join('\n')
  return [
    '/usr/bin/env',
    'PATH=/usr/sbin:/usr/bin:/sbin:/bin',
    'unshare',
    '--mount',
    'sh',
    '-c',
    script,
    'sh',
    root,
    home,
    project,
    ...command,
  ]
}

function sizeOf(path: string): number {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (!stats?.isDirectory()) return stats?.size ?? 0
  return sum(readdirSync(path).map((name) => sizeOf(join(path, name))))
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
