/**
 * Creates a project in a temporary folder with the packages of this workspace installed like from the registry: as files
 * in node_modules, not as symbolic links. Runs a real test runner in it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  watch,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { hostArchitecture } from '@coldboot/core/internal'

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url))
const PROJECTS = fileURLToPath(new URL('projects', import.meta.url))

/** A test runner and its packages. */
export interface TestRunner {
  /** The folder whose node_modules contains it. */
  readonly home: string
  /** Names of the packages of this workspace to install. */
  readonly packages: readonly string[]
  /** Names of the packages from the registry to install. */
  readonly modules: readonly string[]
  /** Arguments of Node before those of a run; paths are relative to the project. */
  readonly command: readonly string[]
}

const VITEST: TestRunner = {
  home: fileURLToPath(new URL('..', import.meta.url)),
  packages: ['cli', 'core', 'guest', 'matchers', 'report', 'runner', 'vitest', 'mkfatfs-wasm'],
  modules: ['vitest'],
  command: ['node_modules/vitest/vitest.mjs', 'run'],
}

/** Compiler output that the published packages omit. */
const UNPUBLISHED = /^dist\/(?!browser\/).*\.js(?:\.map)?$|\.tsbuildinfo$/

/** A package in the workspace. */
interface PackageManifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  /** Properties of the published manifest that replace those of the workspace. */
  readonly publishConfig: object
}

/** Result of a run. */
export interface RunnerRun {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** Standard output and error, in order. */
  readonly output: string
}

/** A running test runner, in its own process group. */
export interface RunningRunner {
  readonly pid: number
  /** Resolves when the text is printed; rejects if the run ends without it. */
  printed(text: string): Promise<void>
  /** Sends a signal to the whole group, like a terminal. */
  interrupt(signal: NodeJS.Signals): void
  readonly ended: Promise<RunnerRun>
}

/** The installed project. */
export interface InstalledProject extends Disposable {
  /** Real path of its folder. */
  readonly root: string
  start(args?: readonly string[], env?: NodeJS.ProcessEnv): RunningRunner
  run(args?: readonly string[], env?: NodeJS.ProcessEnv): Promise<RunnerRun>
  /** Runs a shell script like a CI job: stops at the first failing command, and `npx` finds installed packages. */
  shell(script: string, env?: NodeJS.ProcessEnv): Promise<RunnerRun>
}

/** @param source name of a folder in `projects/`, or the path of another folder */
export function installProject(source: string, runner: TestRunner = VITEST): InstalledProject {
  const folder = resolve(PROJECTS, source)
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'coldboot-e2e-')))
  cpSync(folder, root, { recursive: true, filter: (path) => !/\/(node_modules|\.vitest|\.jest)$/.test(path) })
  const types = existsSync(join(folder, 'tsconfig.json'))
  for (const name of runner.packages) install(name, root, types)
  for (const name of runner.modules) linkModule(runner.home, name, root)
  linkGuest(root)
  let runs = 0
  const startIn = (command: readonly string[], env: NodeJS.ProcessEnv): RunningRunner => {
    const log = join(root, 'node_modules', `output-${++runs}.txt`)
    return startRunner(root, command, env, log)
  }
  const start: InstalledProject['start'] = (args = [], env = {}) =>
    startIn([process.execPath, ...runner.command, ...args], env)
  return {
    root,
    start,
    run: (args, env) => start(args, env).ended,
    shell: (script, env) => {
      const PATH = [makeNpx(root), process.env['PATH']].join(delimiter)
      return startIn(['sh', '-ec', script], { PATH, ...env }).ended
    },
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

/** @param types whether to install the hundreds of type declarations, which no run loads */
function install(name: string, root: string, types: boolean): void {
  const source = join(PACKAGES, name)
  const { publishConfig, ...rest } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as PackageManifest
  // Like the manifest that pnpm packs.
  const manifest = { ...rest, ...publishConfig }
  const target = join(root, 'node_modules', manifest.name)
  mkdirSync(target, { recursive: true })
  writeFileSync(join(target, 'package.json'), JSON.stringify(manifest))
  const parts = ['agent', 'browser', 'bundle', ...(types ? ['dist'] : ['dist/browser'])]
  for (const folder of parts) {
    if (existsSync(join(source, folder))) linkFiles(source, target, folder)
  }
  for (const dependency of Object.keys(manifest.dependencies ?? {})) {
    if (dependency.startsWith('@coldboot/') || dependency === 'mkfatfs-wasm') continue
    linkModule(source, dependency, target)
  }
}

/** Makes hard links to the published files of a folder, because copies of some thousand files take a second. */
function linkFiles(source: string, target: string, folder: string): void {
  mkdirSync(join(target, folder), { recursive: true })
  for (const entry of readdirSync(join(source, folder), { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) linkFiles(source, target, path)
    else if (!UNPUBLISHED.test(path)) linkFile(join(source, path), join(target, path))
  }
}

function linkFile(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch {
    // The temporary folder is on another file system.
    copyFileSync(source, target)
  }
}

/** Installs this host's guest package by a link, because it has 100 MB. If it is not built, tests download a kernel. */
function linkGuest(root: string): void {
  const name = `guest-${hostArchitecture()}`
  const source = join(PACKAGES, name)
  if (existsSync(join(source, 'guest.json'))) symlinkSync(source, join(root, 'node_modules', '@coldboot', name))
}

function linkModule(source: string, name: string, target: string): void {
  const link = join(target, 'node_modules', name)
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(realpathSync(join(source, 'node_modules', name)), link)
}

/** Creates an `npx` that only runs `vitest`. @returns a folder for PATH */
function makeNpx(root: string): string {
  const folder = join(root, 'node_modules', '.npx')
  mkdirSync(folder, { recursive: true })
  const script = `#!/bin/sh\nshift\nexec "${process.execPath}" "${join(root, VITEST.command[0] ?? '')}" "$@"\n`
  writeFileSync(join(folder, 'npx'), script, { mode: 0o755 })
  return folder
}

function startRunner(root: string, command: readonly string[], env: NodeJS.ProcessEnv, log: string): RunningRunner {
  const [file = '', ...args] = command
  // A shared file keeps the order of both streams.
  const output = openSync(log, 'w')
  const child = spawn(file, args, {
    cwd: root,
    env: { ...withoutRunner(process.env), NO_COLOR: '1', CI: '1', COLUMNS: '120', ...env },
    stdio: ['ignore', output, output],
    detached: true,
  })
  closeSync(output)
  const pid = child.pid ?? 0
  const ended = once(child, 'exit').then(([exitCode, signal]: (number | string | null)[]) => ({
    exitCode: exitCode as number | null,
    signal: signal as NodeJS.Signals | null,
    output: readFileSync(log, 'utf8'),
  }))
  const printed = async (text: string): Promise<void> => {
    const changes = watch(log)
    const end = ended.then((run) => Promise.reject(new Error(`The run ended without "${text}":\n${run.output}`)))
    try {
      while (!readFileSync(log, 'utf8').includes(text)) await Promise.race([once(changes, 'change'), end])
    } finally {
      changes.close()
      end.catch(() => {})
    }
  }
  return { pid, printed, interrupt: (signal) => process.kill(-pid, signal), ended }
}

/** Removes variables of the outer test runner, with which the inner one would consider itself a worker. */
function withoutRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) =>
        !/^(VITEST|JEST_|COLDBOOT_PROGRESS|FORCE_COLOR|NODE_OPTIONS$|TEST$|GITHUB_|CI_PROJECT_DIR$)/.test(name),
    ),
  )
}
