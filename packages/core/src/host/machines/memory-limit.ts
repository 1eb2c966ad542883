/**
 * Finds the memory that this process and its children may use: that of the host, or less in a container. The limit of a
 * control group applies to all groups below it, so the limits of all parent groups are read.
 */
import { readFileSync } from 'node:fs'
import { totalmem } from 'node:os'
import { dirname, join } from 'node:path'

/** Sources of the limits. Tests replace them. */
export interface MemoryHost {
  readonly totalBytes: number
  /** `process.constrainedMemory()`. Without a limit, it is 0 or larger than the memory of the host. */
  readonly constrainedBytes: number
  /** Reads a file. @returns undefined if the file cannot be read */
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

/** The smallest of all limits, bytes. */
export function memoryLimit(host: MemoryHost = THIS_HOST): number {
  const { totalBytes, constrainedBytes } = host
  const limits = [constrainedBytes, ...groupLimits(host)]
  return Math.min(totalBytes, ...limits.filter((limit) => Number.isFinite(limit) && limit > 0))
}

/** Limits of the control groups, of version 2 (`0::/path`) and 1 (`4:memory:/path`). See cgroups(7). */
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

/** Paths of a group and of all its parents, each with a slash at both ends. */
function parents(path: string): string[] {
  const group = join(path, '/')
  return group === '/' ? ['/'] : [group, ...parents(dirname(group))]
}

/** Parses a limit. NaN if the file is missing or has `max`, which means no limit. */
function limitIn(text: string | undefined): number {
  return text === undefined ? Number.NaN : Number(text)
}
