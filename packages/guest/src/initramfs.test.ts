import { describe, expect, test } from 'vitest'
import { type ReadEntry, readCpio } from '../test/read-cpio.ts'
import type { CpioEntry } from './cpio.ts'
import { buildInitramfs, type InitramfsParts, recipeDigest } from './initramfs.ts'

const PARTS: InitramfsParts = {
  agent: Buffer.from('agent'),
  busybox: Buffer.from('\0[\0[[\0ls\0modprobe\0mount\0sh\0\0'),
  release: '6.1.0-1-amd64',
  modules: {
    files: [
      {
        module: { name: 'fat', path: 'kernel/fs/fat/fat.ko', sha256: '', depends: [], softDepends: [], aliases: [] },
        data: Buffer.from('fat'),
      },
      {
        module: {
          ...{ name: 'vfat', path: 'kernel/fs/fat/vfat.ko', sha256: '', softDepends: [], aliases: ['fs-vfat'] },
          depends: ['fat', 'nls_base'],
        },
        data: Buffer.from('vfat'),
      },
    ],
    builtIn: ['nls_base'],
  },
  startup: { modules: ['vfat'], init: '' },
  files: [],
}
const file = (path: string, content = ''): CpioEntry => ({
  type: 'file',
  path,
  mode: 0o644,
  data: Buffer.from(content),
})
function build(parts: Partial<InitramfsParts> = {}): Map<string, ReadEntry> {
  return new Map(readCpio(buildInitramfs({ ...PARTS, ...parts })).map((entry) => [entry.path, entry]))
}
const text = (entry: ReadEntry | undefined): string | undefined => entry && Buffer.from(entry.data).toString()

describe('buildInitramfs', () => {
  test('produces the same bytes for the same files in any order', () => {
    const files = [file('opt/b', 'b'), file('opt/a', 'a'), file('etc/c', 'c')]
    const one = buildInitramfs({ ...PARTS, files })
    const other = buildInitramfs({ ...PARTS, files: [...files].reverse() })
    expect(Buffer.compare(one, other)).toBe(0)
  })

  test('writes every directory before its entries', () => {
    const paths = [...build({ files: [file('a/b/c/d')] }).keys()]
    for (const path of paths.filter((name) => name.includes('/'))) {
      expect(paths.indexOf(path.slice(0, path.lastIndexOf('/')))).toBeLessThan(paths.indexOf(path))
    }
    expect(paths.filter((name) => name.includes('/')).map((path) => path.slice(0, path.lastIndexOf('/')))).toSatisfy(
      (parents: string[]) => parents.every((parent) => paths.includes(parent)),
    )
    expect(paths).toContain('a/b/c')
  })

  test('writes each path once', () => {
    const paths = readCpio(buildInitramfs({ ...PARTS, files: [file('etc/motd'), file('etc/profile')] })).map(
      ({ path }) => path,
    )
    expect(new Set(paths).size).toBe(paths.length)
  })

  test('writes a link for each program, and links to the one directory of programs', () => {
    const entries = build()
    expect(text(entries.get('bin/ls'))).toBe('busybox')
    expect(text(entries.get('init'))).toBe('bin/busybox')
    expect(['sbin', 'usr/bin', 'usr/sbin'].map((path) => text(entries.get(path)))).toEqual(['bin', '../bin', '../bin'])
  })

  test('writes modules and their dependencies where modprobe looks for them', () => {
    const entries = build()
    const directory = 'lib/modules/6.1.0-1-amd64'
    expect(text(entries.get(`${directory}/kernel/fs/fat/vfat.ko`))).toBe('vfat')
    expect(text(entries.get(`${directory}/modules.dep`))).toContain('kernel/fs/fat/vfat.ko: kernel/fs/fat/fat.ko\n')
    expect(text(entries.get(`${directory}/modules.alias`))).toBe('alias fs-vfat vfat\n')
    expect(text(entries.get(`${directory}/modules.builtin`))).toBe('kernel/nls_base.ko\n')
  })

  test('writes no module directory for a kernel without modules', () => {
    expect([...build({ modules: undefined }).keys()].filter((path) => path.startsWith('lib/'))).toEqual([])
  })

  test("replaces its own file with the user's", () => {
    expect(text(build({ files: [file('etc/hosts', 'mine')] }).get('etc/hosts'))).toBe('mine')
  })

  test('refuses a file inside of a file', () => {
    expect(() => build({ files: [file('opt'), file('opt/x')] })).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        shortMessage: '`files` has /opt/x, but /opt is a file, not a directory',
      }),
    )
  })
})

test('changes the recipe digest with the startup options', () => {
  const digest = recipeDigest({ modules: ['vfat'], init: '' })
  expect(digest).toBe(recipeDigest({ modules: ['vfat'], init: '' }))
  expect(digest).not.toBe(recipeDigest({ modules: [], init: '' }))
  expect(digest).not.toBe(recipeDigest({ modules: ['vfat'], init: 'true' }))
})
