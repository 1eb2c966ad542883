/** Starts processes: QEMU under its guard, and short look-ups. The only importer of the process library. */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { packagedTie } from '../host/qemu-package.ts'
import { GUARD_FD, type GuardKind, guardedCommand } from './parent-guard.ts'

/** How a process ended: one of the two is set. */
export interface ProcessExit {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

/** A running QEMU. */
export interface QemuProcess {
  /** Pid of QEMU, or of the guard beside it where the kernel offers none. */
  readonly pid: number
  /** What it printed on standard error, and on standard output, the last 64 KiB. */
  stderr(): string
  /** Our ends of the inherited descriptors, by the child's number. */
  stream(fd: number): Duplex
  /** Settles when the process is gone; never rejects. */
  readonly exited: Promise<ProcessExit>
  /** Asks it to end (SIGTERM), or ends it. No effect after the exit. */
  terminate(signal: 'SIGTERM' | 'SIGKILL'): void
}

const STDERR_LIMIT = 65_536

/** Loaded with the first process: it is larger than all else that this package has to load. */
const loadExeca = (): Promise<typeof import('execa')> => import('execa')

/** What a process is started with besides its arguments. */
export interface SpawnOptions {
  /** Descriptors of the child that are stream sockets with our end in {@link QemuProcess.stream}; each above 3. */
  readonly sockets: readonly number[]
  /** Open descriptors of ours that the child inherits, by the child's number. @default none */
  readonly files?: ReadonlyMap<number, number>
  /** @default the best of this host */
  readonly guard?: GuardKind
}

/**
 * @throws the system's error (`ENOENT`, `EACCES`, …) when the guard cannot be started
 */
export async function spawnQemu(argv: readonly string[], options: SpawnOptions): Promise<QemuProcess> {
  const { sockets, files = new Map<number, number>(), guard = (await hostGuard()).guard } = options
  const [program = 'qemu', ...programArgs] = argv
  const [file = program, ...args] = guardedCommand(guard, {
    argv: [findOnPath(program) ?? program, ...programArgs],
    parentPid: process.pid,
    tie: packagedTie(),
  })
  const lastFd = Math.max(GUARD_FD, ...sockets, ...files.keys())
  const inherited = Array.from({ length: lastFd - GUARD_FD }, (_, index) => {
    const fd = index + GUARD_FD + 1
    // Any open descriptor will do; the library's types name the first few only.
    return (files.get(fd) as 3 | undefined) ?? (sockets.includes(fd) ? 'pipe' : 'ignore')
  })
  const { execa } = await loadExeca()
  const subprocess = execa(file, args, {
    stdio: ['ignore', 'pipe', 'pipe', guard === 'pipe' ? 'pipe' : 'ignore', ...inherited],
    buffer: false,
    reject: false,
    // A group of its own: the terminal's Ctrl-C then reaches the test runner alone, which ends the machine in order.
    detached: true,
    cleanup: false,
    stripFinalNewline: false,
  })
  // The library's handle is for running to completion; a machine lives on, and its events are the child's own.
  const child = subprocess.nodeChildProcess
  let text = ''
  const collect = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-STDERR_LIMIT)
  }
  // With `buffer: false` the library leaves the streams alone; an unread pipe would block QEMU.
  child.stderr?.on('data', collect)
  child.stdout?.on('data', collect)
  let ended = false
  const exited = new Promise<ProcessExit>((resolve) => {
    // `exit`, not the library's promise: that waits for every stream to be read to its end.
    child.once('exit', (code, signal) => {
      const exit = { code: code ?? undefined, signal: signal ?? undefined }
      ended = true
      void lastWords([child.stdout, child.stderr]).then(() => resolve(exit))
    })
  })
  const { pid } = child
  if (pid === undefined) throw (await subprocess).cause
  const lifeline = guard === 'pipe' ? (child.stdio[GUARD_FD] as Duplex) : undefined
  lifeline?.on('error', () => {}).resume()
  return {
    pid,
    stderr: () => text,
    stream: (fd) => child.stdio[fd] as Duplex,
    exited,
    terminate(signal) {
      if (ended) return
      // Ending the shell guard would leave QEMU behind: closing the pipe is its signal to kill.
      if (signal === 'SIGKILL' && lifeline) lifeline.destroy()
      else child.kill(signal)
    },
  }
}

/** How long a pipe may stay open after the exit: something else may have inherited it. Milliseconds. */
const LAST_WORDS_MS = 1_000

/** The exit can be seen before the reason that was printed for it was read. */
async function lastWords(pipes: readonly (Readable | null)[]): Promise<void> {
  const signal = AbortSignal.timeout(LAST_WORDS_MS)
  const open = pipes.filter((pipe) => pipe !== null)
  await Promise.allSettled(open.map((pipe) => finished(pipe, { signal })))
}

/** Runs a look-up such as `--version` to its end. */
export async function runLookup(
  file: string,
  args: readonly string[],
): Promise<{ readonly output: string; readonly exitCode: number | undefined; readonly cause: unknown }> {
  const { execa } = await loadExeca()
  const result = await execa(file, args, { reject: false, all: true, stdin: 'ignore', timeout: 30_000 })
  return { output: result.all, exitCode: result.exitCode, cause: 'cause' in result ? result.cause : undefined }
}

/** The absolute path of an executable, looked up as a shell does; undefined when there is none. */
export function findOnPath(name: string, path: string = process.env['PATH'] ?? ''): string | undefined {
  const candidates = name.includes('/') ? [name] : path.split(delimiter).map((folder) => join(folder || '.', name))
  return candidates.find(isExecutable)
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    // A directory can be "executed" too.
    return statSync(path).isFile()
  } catch {
    return false
  }
}

/** A guard and why it is used. */
export interface GuardChoice {
  readonly guard: GuardKind
  readonly reason: string
}

let guardOfThisHost: Promise<GuardChoice> | undefined

/** The guard of machines on this host. Asks `setpriv` once what it can do. */
export function hostGuard(): Promise<GuardChoice> {
  guardOfThisHost ??= chooseGuard(process.platform, packagedTie())
  return guardOfThisHost
}

/**
 * @param tie path of `coldboot-tie`, if there is one
 * @param path where to look for `setpriv`
 */
export async function chooseGuard(
  platform: NodeJS.Platform,
  tie: string | undefined,
  path?: string,
): Promise<GuardChoice> {
  const shell = 'a shell beside QEMU ends it'
  if (platform !== 'linux') return { guard: 'pipe', reason: shell }
  if (tie !== undefined) return { guard: 'tie', reason: 'the kernel ends QEMU, as coldboot-tie asks' }
  const setpriv = findOnPath('setpriv', path)
  if (setpriv === undefined) return { guard: 'pipe', reason: `${shell}: there is no setpriv (util-linux)` }
  // The one of busybox does not know the option, nor did util-linux before 2.33.
  const { exitCode } = await runLookup(setpriv, ['--pdeathsig', 'KILL', '--', 'true'])
  if (exitCode !== 0) return { guard: 'pipe', reason: `${shell}: ${setpriv} has no --pdeathsig (util-linux 2.33)` }
  return { guard: 'pdeathsig', reason: `the kernel ends QEMU, as ${setpriv} asks` }
}
