import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { viewHost } from './host-directories.ts'

test('exports the programs of the host, but no home directory, temporary file or device', () => {
  const paths = viewHost([]).directories.map(({ path }) => path)
  expect(paths).toContain('/usr')
  for (const path of ['/root', '/home', '/tmp', '/run', '/proc', '/sys', '/dev', homedir()]) {
    expect(paths).not.toContain(path)
  }
})

test('hides a home directory below a system directory unless `show` contains it', () => {
  const home = '/var/lib'
  expect(viewHost([], [home]).directories.map(({ path }) => path)).toContain('/var')
  expect(viewHost([], [home]).hidden).toContain(home)
  expect(viewHost([home], [home]).hidden).not.toContain(home)
})

test('refuses to export files, the root, and kernel interfaces such as /proc', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'host-directories-'))
  try {
    await writeFile(join(directory, 'file'), 'x')
    expect(() => viewHost([join(directory, 'file')])).toThrow(/`show` has .*, which is not a directory/)
    expect(() => viewHost(['/proc/self'])).toThrow(/cannot be shared with a guest/)
    expect(() => viewHost(['/'])).toThrow(/cannot be shared with a guest/)
  } finally {
    await rm(directory, { recursive: true })
  }
})
