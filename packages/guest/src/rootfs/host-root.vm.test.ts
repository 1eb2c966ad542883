import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { VM } from '@coldboot/core'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { hostRoot } from './host-root.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'host-root-'))
})
afterEach(() => rm(directory, { recursive: true }))

test('runs programs of the host, hides home directories, and writes nothing to the host', async () => {
  const program = join(directory, 'just-built')
  await writeFile(program, '#!/bin/bash\necho "built on the host, run by $(id -un) on $(uname -n)"\n', { mode: 0o755 })
  await using vm = await VM.boot({ ...(await hostRoot({ show: [directory], hostname: 'guest' })), timeout: 60_000 })
  expect((await vm.run([program])).stdout).toBe('built on the host, run by root on guest\n')
  // Perl instead of Node, because `process.execPath` may be below a home directory.
  expect((await vm.run('perl -e "print 6 * 7"')).stdout).toBe('42')
  expect((await vm.run('ls -A /root /home')).stdout).toBe('/home:\n\n/root:\n')
  await vm.run(`echo x | tee /etc/coldboot-test ${directory}/new /usr/bin/coldboot-test && rm ${program}`)
  expect([existsSync('/etc/coldboot-test'), existsSync(join(directory, 'new'))]).toEqual([false, false])
  expect(existsSync(program)).toBe(true)
  expect((await vm.run('cat /etc/coldboot-test; grep -c 9p /proc/mounts', { check: false })).stdout).toBe('x\n0\n')
})
