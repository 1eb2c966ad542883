/**
 * A directory of each machine’s own, mode 0700, gone with it. The name carries its owner, so that what a killed process
 * left behind is removed by the next one that starts a machine.
 */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { StartError } from './errors.ts'

/** A directory that exists until it is removed. */
export interface PrivateDirectory {
  readonly path: string
  /** Removes it with all its content. Idempotent. */
  remove(): Promise<void>
}

let swept = false

/**
 * @throws StartError `START_FAILED` when the parent folder belongs to somebody else
 */
export async function makePrivateDirectory(): Promise<PrivateDirectory> {
  const parent = privateParent()
  if (!swept) {
    swept = true
    sweep(parent)
  }
  const path = await mkdtemp(join(parent, `${ownerOf(process.pid)}-`))
  return { path, remove: () => rm(path, { recursive: true, force: true }) }
}

/** The folder that holds this user’s private directories. Short: UNIX socket paths inside it have 107 bytes. */
function privateParent(): string {
  const user = process.getuid?.() ?? 0
  const parent = join(tmpdir(), `coldboot-${user}`)
  mkdirSync(parent, { mode: 0o700, recursive: true })
  // A folder in a shared /tmp may have been made by somebody else to read along.
  const stats = statSync(parent)
  if (stats.uid !== user || (stats.mode & 0o077) !== 0) {
    throw new StartError('START_FAILED', `${parent} is not private to this user`, {
      hint: 'Remove it, or set TMPDIR to a folder of your own.',
    })
  }
  return parent
}

/** Removes the directories whose owner is gone. */
export function sweep(parent: string): void {
  for (const name of readdirSync(parent)) {
    const owner = /^(\d+)-\d+-\d+(?=-)/.exec(name)
    if (!owner || isAlive(owner[0], Number(owner[1]))) continue
    rmSync(join(parent, name), { recursive: true, force: true })
  }
}

function isAlive(owner: string, pid: number): boolean {
  // Another pid namespace (a container that shares /tmp) cannot be seen from here: its directories are its own business.
  if (namespaceOf(owner) !== pidNamespace()) return true
  return ownerOf(pid) === owner
}

/** `<pid>-<start time>-<pid namespace>`: a number that was given to another process later does not match. */
function ownerOf(pid: number): string {
  return `${pid}-${startTime(pid)}-${pidNamespace()}`
}

function namespaceOf(owner: string): string {
  return owner.slice(owner.lastIndexOf('-') + 1)
}

// Field 22 of /proc/<pid>/stat (proc(5)), counted from behind the command’s name, which may hold blanks and parentheses.
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '0'
  } catch {
    // Where there is no /proc, only the pid can be asked for.
    return process.platform !== 'linux' && exists(pid) ? '0' : '-1'
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}
