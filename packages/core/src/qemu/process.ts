/**
 * Starts processes: QEMU and its helpers with their guard, and short commands such as `--version`. The only importer of
 * the process library.
 */
import type { Socket } from 'node:net'
import type { Duplex, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { glibcTunables } from '../host/environment.ts'
import { findOnPath } from '../host/find-on-path.ts'
import { packagedTie } from '../host/qemu-package.ts'
import { GUARD_FD, type GuardKind, guardedCommand } from './parent-guard.ts'

/** How a process ended. Either `code` or `signal` is set. */
export interface ProcessExit {
  readonly code: number | undefined
  readonly signal: NodeJS.Signals | undefined
}

/** A running QEMU. */
export interface QemuProcess {
  /** Pid of QEMU, or of its guard shell on systems without a kernel guard. */
  readonly pid: number
  /** The last 64 KiB of standard error and standard output. */
  stderr(): string
  /** The end of an inherited socket in this process. @param fd number of the descriptor in the child */
  stream(fd: number): Duplex
  /** Resolves when the process has ended. Never rejects. */
  readonly exited: Promise<ProcessExit>
  /** Sends SIGTERM or SIGKILL. No effect after the exit. */
  terminate(signal: 'SIGTERM' | 'SIGKILL'): void
  /** Sets whether the child keeps this process running. @default true */
  hold(held: boolean): void
}

const STDERR_LIMIT = 65_536

/** Loaded when the first process is started, because the library is larger than the rest of this package. */
const loadExeca = (): Promise<typeof import('execa')> => import('execa')

/** Options of {@link spawnQemu}. */
export interface SpawnOptions {
  /** Descriptors of the child that are stream sockets, each above 3. See {@link QemuProcess.stream}. */
  readonly sockets: readonly number[]
  /** Open descriptors and sockets that the child inherits, by their number in the child. @default none */
  readonly files?: ReadonlyMap<number, number | Duplex> | undefined
  /** Working directory. @default that of this process */
  readonly cwd?: string | undefined
  /** Guard that ends the child with this process. @default the best guard of this host */
  readonly guard?: GuardKind
}

/**
 * @throws the system's error (`ENOENT`, `EACCES`, …) when the guard cannot be started
 */
export async function spawnQemu(argv: readonly string[], options: SpawnOptions): Promise<QemuProcess> {
  const { sockets, files = new Map<number, number | Duplex>(), cwd, guard = (await hostGuard()).guard } = options
  const [program = 'qemu', ...programArgs] = argv
  const [file = program, ...args] = guardedCommand(guard, {
    argv: [findOnPath(program) ?? program, ...programArgs],
    parentPid: process.pid,
    tie: packagedTie(),
  })
  const lastFd = Math.max(GUARD_FD, ...sockets, ...files.keys())
  const inherited = Array.from({ length: lastFd - GUARD_FD }, (_, index) => {
    const fd = index + GUARD_FD + 1
    // Any open descriptor works, but the types of the library have only the first few.
    return (files.get(fd) as 3 | undefined) ?? (sockets.includes(fd) ? 'pipe' : 'ignore')
  })
  const { execa } = await loadExeca()
  const subprocess = execa(file, args, {
    env: { GLIBC_TUNABLES: glibcTunables() },
    stdio: ['ignore', 'pipe', 'pipe', guard === 'pipe' ? 'pipe' : 'ignore', ...inherited],
    buffer: false,
    reject: false,
    // In a separate process group, so that Ctrl-C reaches only the test runner, which ends the machine cleanly.
    detached: true,
    cleanup: false,
    ...(cwd === undefined ? {} : { cwd }),
    stripFinalNewline: false,
  })
  // The subprocess object of the library is for short commands. A machine needs the events of the child process itself.
  const child = subprocess.nodeChildProcess
  // Decoded as a whole, because a chunk may end within a character.
  let tail = Buffer.alloc(0)
  const collect = (chunk: Buffer): void => {
    tail = Buffer.concat([tail, chunk]).subarray(-STDERR_LIMIT)
  }
  // With `buffer: false` the library does not read the streams, and an unread pipe would block QEMU.
  child.stderr?.on('data', collect)
  child.stdout?.on('data', collect)
  let ended = false
  const exited = new Promise<ProcessExit>((resolve) => {
    // The promise of the library would wait until every stream is read to its end.
    child.once('exit', (code, signal) => {
      const exit = { code: code ?? undefined, signal: signal ?? undefined }
      ended = true
      void remainingOutput([child.stdout, child.stderr]).then(() => resolve(exit))
    })
  })
  const { pid } = child
  if (pid === undefined) throw (await subprocess).cause
  const lifeline = guard === 'pipe' ? (child.stdio[GUARD_FD] as Duplex) : undefined
  lifeline?.on('error', () => {}).resume()
  return {
    pid,
    stderr: () => tail.toString(),
    stream: (fd) => child.stdio[fd] as Duplex,
    exited,
    terminate(signal) {
      if (ended) return
      // Killing the guard shell would leave QEMU running. Closing the pipe makes the guard kill QEMU.
      if (signal === 'SIGKILL' && lifeline) lifeline.destroy()
      else child.kill(signal)
    },
    hold(held) {
      const handles = [child, ...(child.stdio as readonly (Socket | null)[])]
      for (const handle of handles) {
        if (held) handle?.ref()
        else handle?.unref()
      }
    },
  }
}

/** Longest wait for the end of a pipe after the exit, because another process may have inherited it. Milliseconds. */
const REMAINING_OUTPUT_MS = 1_000

/** Waits until the last output is read, because Node may report the exit before it. */
async function remainingOutput(pipes: readonly (Readable | null)[]): Promise<void> {
  const signal = AbortSignal.timeout(REMAINING_OUTPUT_MS)
  const open = pipes.filter((pipe) => pipe !== null)
  await Promise.allSettled(open.map((pipe) => finished(pipe, { signal })))
}

/** Runs a short command such as `--version`. */
export async function runLookup(
  file: string,
  args: readonly string[],
): Promise<{ readonly output: string; readonly exitCode: number | undefined; readonly cause: unknown }> {
  const { execa } = await loadExeca()
  const result = await execa(file, args, { reject: false, all: true, stdin: 'ignore', timeout: 30_000 })
  return { output: result.all, exitCode: result.exitCode, cause: 'cause' in result ? result.cause : undefined }
}

/** A guard and the reason for the choice. */
export interface GuardChoice {
  readonly guard: GuardKind
  readonly reason: string
}

let guardOfThisHost: Promise<GuardChoice> | undefined

/** Chooses the guard for this host, once per process. */
export function hostGuard(): Promise<GuardChoice> {
  guardOfThisHost ??= chooseGuard(process.platform, packagedTie())
  return guardOfThisHost
}

/**
 * @param tie path of `coldboot-tie`, if there is one
 * @param path search path for `setpriv`
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
  // The `setpriv` of busybox and of util-linux before 2.33 lacks the option.
  const { exitCode } = await runLookup(setpriv, ['--pdeathsig', 'KILL', '--', 'true'])
  if (exitCode !== 0) return { guard: 'pipe', reason: `${shell}: ${setpriv} has no --pdeathsig (util-linux 2.33)` }
  return { guard: 'pdeathsig', reason: `the kernel ends QEMU, as ${setpriv} asks` }
}

/** Runs a short command whose output is not needed. @returns its exit code; undefined if it could not be run */
export async function runSilently(file: string, args: readonly string[]): Promise<number | undefined> {
  const { execa } = await loadExeca()
  const { exitCode } = await execa(file, args, { reject: false, stdio: 'ignore', buffer: false, timeout: 30_000 })
  return exitCode
}
