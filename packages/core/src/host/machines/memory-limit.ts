/**
 * The memory that this process and its children may use: the host's, or less in a container. Limits of control groups
 * apply to all groups inside, so that each group above counts.
 */
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'

/** What is looked at, for tests. */
export interface MemoryHost {
  readonly totalBytes: number
  /** As of `process.constrainedMemory`; 0 or more than there is without a limit. */
  readonly constrainedBytes: number
  /** @returns undefined for a file that is not there */
  readonly read: (path: string) => string | undefined
}

const THIS_HOST: MemoryHost = {
  totalBytes: totalmem(),
  constrainedBytes: process.constrainedMemory(),
  read(path) {
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return undefined
    }
  },
}

/** Bytes that may be used. */
export function memoryLimit(host: MemoryHost = THIS_HOST): number {
  const { totalBytes, constrainedBytes } = host
  const limits = [constrainedBytes, ...groupLimits(host)]
  return Math.min(totalBytes, ...limits.filter((limit) => Number.isFinite(limit) && limit > 0))
}

/** Of control groups, version 2 (`0::/path`) and 1 (`4:memory:/path`), as cgroups(7) has them. */
function groupLimits({ read }: MemoryHost): number[] {
  const lines = read('/proc/self/cgroup')?.split('\n') ?? []
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? []
    if (path === undefined || controllers === undefined) return []
    if (controllers === '') return parents(path).map((group) => limitIn(read(`/sys/fs/cgroup${group}memory.max`)))
    if (!controllers.split(',').includes('memory')) return []
    return parents(path).map((group) => limitIn(read(`/sys/fs/cgroup/memory${group}memory.limit_in_bytes`)))
  })
}

/** The group and all above it, each with a slash at both ends. */
function parents(path: string): string[] {
  const group = join(path, '/')
  return group === '/' ? ['/'] : [group, ...parents(dirname(group))]
}

/** `max` and what is not there are no limit. */
function limitIn(text: string | undefined): number {
  return text === undefined ? Number.NaN : Number(text)
}
