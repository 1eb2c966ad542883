/** Unique identity of a process, `<pid>-<start time>-<pid namespace>`, because pids are reused. */
import { readFileSync, readlinkSync } from 'node:fs'
import { codeOf } from '../errors.ts'

/** The identity of this process. */
export function thisProcess(): string {
  return identityOf(process.pid)
}

/** Parses the identity at the start of a file name, before a dash; undefined if there is none. */
export function ownerIn(name: string): string | undefined {
  return /^\d+-\d+-\d+(?=-)/.exec(name)?.[0]
}

/** Whether the process still runs. A process of another pid namespace counts as running. */
export function isAlive(identity: string): boolean {
  // Processes of another pid namespace are not visible, for example those of a container that shares /tmp.
  if (namespaceOf(identity) !== pidNamespace()) return true
  return identityOf(Number(identity.split('-')[0])) === identity
}

function identityOf(pid: number): string {
  return `${pid}-${startTime(pid)}-${pidNamespace()}`
}

function namespaceOf(identity: string): string {
  return identity.slice(identity.lastIndexOf('-') + 1)
}

// Field 22 of /proc/<pid>/stat (proc(5)), counted from the end of the command name, which may contain blanks and
// parentheses.
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state = '', ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    // A zombie or dead process has ended, although its parent has not waited for it yet.
    return 'ZX'.includes(state) ? '-1' : (fields[18] ?? '0')
  } catch {
    // Without /proc, there is no start time, so only the pid is checked.
    return process.platform !== 'linux' && exists(pid) ? '0' : '-1'
  }
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) === 'EPERM'
  }
}

function pidNamespace(): string {
  try {
    return /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'
  } catch {
    return '0'
  }
}
