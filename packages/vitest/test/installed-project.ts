/**
 * A user’s project in a folder of its own, with this workspace’s packages installed as from the registry: copies in
 * node_modules, not links into the workspace. A real Vitest runs in it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('../..', import.meta.url))
const PROJECTS = fileURLToPath(new URL('projects', import.meta.url))
const VITEST = realpathSync(fileURLToPath(new URL('../node_modules/vitest', import.meta.url)))

/** Names of the workspace’s packages that a user of @coldboot/vitest gets. */
const INSTALLED = ['core', 'guest', 'matchers', 'vitest', 'mkfatfs-wasm']

/** How a Vitest ended. */
export interface VitestRun {
  readonly exitCode: number | null
  readonly signal: NodeJS.Signals | null
  /** Standard output and error, as a terminal would show them. */
  readonly output: string
}

/** A Vitest that runs, in a process group of its own. */
export interface RunningVitest {
  readonly pid: number
  /** Settles when the text was printed, or when the run has ended without it. */
  printed(text: string): Promise<void>
  /** Sends a signal as a terminal does: to the whole group. */
  interrupt(signal: NodeJS.Signals): void
  readonly ended: Promise<VitestRun>
}

/** A user’s project. */
export interface InstalledProject extends Disposable {
  /** Its folder, without symbolic links. */
  readonly root: string
  start(args?: readonly string[], env?: NodeJS.ProcessEnv): RunningVitest
  run(args?: readonly string[], env?: NodeJS.ProcessEnv): Promise<VitestRun>
}

/** @param source a folder of `projects/`, or the path of a folder elsewhere */
export function installProject(source: string): InstalledProject {
  const folder = resolve(PROJECTS, source)
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'coldboot-e2e-')))
  cpSync(folder, root, { recursive: true, filter: (path) => !/\/(node_modules|\.vitest)$/.test(path) })
  for (const name of INSTALLED) install(name, root)
  symlinkSync(VITEST, join(root, 'node_modules', 'vitest'))
  const start: InstalledProject['start'] = (args = [], env = {}) => startVitest(root, args, env)
  return {
    root,
    start,
    run: (args, env) => start(args, env).ended,
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  }
}

function install(name: string, root: string): void {
  const source = join(PACKAGES, name)
  const manifest: unknown = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8'))
  const { name: id, dependencies = {} } = manifest as { name: string; dependencies?: Record<string, string> }
  const target = join(root, 'node_modules', id)
  mkdirSync(target, { recursive: true })
  for (const file of readdirSync(source).filter((file) => file === 'dist' || file === 'package.json')) {
    cpSync(join(source, file), join(target, file), { recursive: true })
  }
  for (const dependency of Object.keys(dependencies)) {
    if (dependency.startsWith('@coldboot/') || dependency === 'mkfatfs-wasm') continue
    const link = join(target, 'node_modules', dependency)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(realpathSync(join(source, 'node_modules', dependency)), link)
  }
}

function startVitest(root: string, args: readonly string[], env: NodeJS.ProcessEnv): RunningVitest {
  const command = [process.execPath, join(VITEST, 'vitest.mjs'), 'run', ...args]
  // One pipe for both streams keeps their order.
  const child = spawn('sh', ['-c', 'exec "$@" 2>&1', 'sh', ...command], {
    cwd: root,
    env: { ...withoutRunner(process.env), NO_COLOR: '1', CI: '1', COLUMNS: '120', ...env },
    stdio: ['ignore', 'pipe', 'ignore'],
    detached: true,
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const pid = child.pid ?? 0
  const ended = once(child, 'close').then(([exitCode, signal]: (number | string | null)[]) => ({
    exitCode: exitCode as number | null,
    signal: signal as NodeJS.Signals | null,
    output,
  }))
  const printed = async (text: string): Promise<void> => {
    while (!output.includes(text) && !child.stdout.readableEnded) {
      await Promise.race([once(child.stdout, 'data'), ended])
    }
  }
  return { pid, printed, interrupt: (signal) => process.kill(-pid, signal), ended }
}

/** The outer runner marks its workers, and the inner one would take itself for one of them. */
function withoutRunner(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(VITEST|FORCE_COLOR|NODE_OPTIONS$|TEST$)/.test(name)),
  )
}
