/**
 * Names for processes that stay true after their end: `<pid>-<start time>-<pid namespace>`. The number alone is given to
 * another process sooner or later.
 */
import { readFileSync, readlinkSync } from 'node:fs'

/** The identity of this process. */
export function thisProcess(): string {
  return identityOf(process.pid)
}

/** The identity that a file's name begins with, followed by a dash; undefined when it does not. */
export function ownerIn(name: string): string | undefined {
  return /^\d+-\d+-\d+(?=-)/.exec(name)?.[0]
}

/** Whether the process of an identity still runs; one of another pid namespace is taken to. */
export function isAlive(identity: string): boolean {
  // Another pid namespace (a container that shares /tmp) cannot be seen from here: its directories are its own business.
  if (namespaceOf(identity) !== pidNamespace()) return true
  return identityOf(Number(identity.split('-')[0])) === identity
}

function identityOf(pid: number): string {
  return `${pid}-${startTime(pid)}-${pidNamespace()}`
}

function namespaceOf(identity: string): string {
  return identity.slice(identity.lastIndexOf('-') + 1)
}

// Field 22 of /proc/<pid>/stat (proc(5)), counted from behind the command's name, which may hold blanks and parentheses.
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie has ended: only its parent has not asked yet.
    return 'ZX'.includes(state) ? '-1' : (fields[18] ?? '0')
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
