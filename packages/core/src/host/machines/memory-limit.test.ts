import { expect, test } from 'vitest'
import { memoryLimit } from './memory-limit.ts'

const GIB = 2 ** 30

function limit(files: Readonly<Record<string, string>>, constrainedBytes = 0): number {
  return memoryLimit({ totalBytes: 64 * GIB, constrainedBytes, read: (path) => files[path] }) / GIB
}

test('without a limit, the limit is the memory of the host', () => {
  expect(limit({})).toBe(64)
  expect(limit({ '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': 'max\n' })).toBe(64)
  // In version 1, a large number means no limit.
  const files = {
    '/proc/self/cgroup': '4:memory:/\n0::/\n',
    '/sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
  }
  expect(limit(files, 2 ** 64)).toBe(64)
})

test('the limit that Node.js reports is used', () => {
  expect(limit({}, 2 * GIB)).toBe(2)
})

test('the lowest limit of the group and of its parents is used', () => {
  const files = {
    '/proc/self/cgroup': '0::/kubepods/pod7/container\n',
    '/sys/fs/cgroup/kubepods/memory.max': 'max\n',
    '/sys/fs/cgroup/kubepods/pod7/memory.max': `${4 * GIB}\n`,
    '/sys/fs/cgroup/kubepods/pod7/container/memory.max': `${8 * GIB}\n`,
  }
  expect(limit(files, 8 * GIB)).toBe(4)
})

test('limits of version 1 are used, at each level', () => {
  const files = {
    '/proc/self/cgroup': '5:cpu,cpuacct:/docker/abc\n4:memory:/docker/abc\n',
    '/sys/fs/cgroup/memory/docker/memory.limit_in_bytes': `${3 * GIB}\n`,
    '/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes': '9223372036854771712\n',
  }
  expect(limit(files)).toBe(3)
})
