import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { OptionError } from '../errors.ts'
import { requireDirectory, requireFile } from './required-path.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
for (const name of ['vmlinuz-6.1.0-9-amd64', 'vmlinuz-6.1.0-8-amd64', 'initramfs.img', 'disk.qcow2', 'notes.txt']) {
  writeFileSync(join(folder, name), '')
}
mkdirSync(join(folder, 'shared'))

function shortMessageOf(call: () => unknown): string {
  try {
    call()
  } catch (error) {
    if (error instanceof OptionError) return error.shortMessage
    throw error
  }
  throw new Error('nothing was thrown')
}

test.each([
  ['a typo', 'initrmfs.img', '; did you mean `initramfs.img`?'],
  ['another case', 'Initramfs.img', '; did you mean `initramfs.img`?'],
  ['another extension', 'disk.img', '; did you mean `disk.qcow2`?'],
  ['a missing version', 'vmlinuz', '; did you mean `vmlinuz-6.1.0-8-amd64` or `vmlinuz-6.1.0-9-amd64`?'],
  ['another version', 'vmlinuz-6.1.0-7-amd64', '; did you mean `vmlinuz-6.1.0-8-amd64` or `vmlinuz-6.1.0-9-amd64`?'],
  ['a name unlike the others', 'bzImage', ''],
  ['a name like a directory', 'share', ''],
  ['a name of one letter', 'd', ''],
  ['a missing directory', 'boot/disk.img', ''],
])('suggests similar files of the directory for %s', (_case, name, suggestion) => {
  const path = join(folder, name)
  expect(shortMessageOf(() => requireFile('kernel', path))).toBe(`\`kernel\` does not exist: ${path}${suggestion}`)
})

test.each([
  ['', '""'],
  [5, '5'],
  [{ file: 'x' }, "{ file: 'x' }"],
])('refuses %o, which is no path', (value, shown) => {
  const message = `shared: \`directory\` must be a path, but is ${shown}`
  expect(shortMessageOf(() => requireFile('shared: directory', value as string))).toBe(message)
  expect(shortMessageOf(() => requireDirectory('shared: directory', value as string))).toBe(message)
})

test('refuses a required directory that is undefined', () => {
  const missing = undefined as unknown as string
  expect(shortMessageOf(() => requireDirectory('shared', missing))).toBe('`shared` must be a path, but is undefined')
})

test.each(['C:\\images\\disk.img', 'd:/disk.img', '\\\\server\\disk.img'])(
  'says where WSL has the drive of %s',
  (path) => {
    expect(() => requireFile('kernel', path)).toThrow(
      /does not exist: .*\nThis is a path of Windows\. In WSL, .* \/mnt\/c/,
    )
  },
)

test('suggests directories for a missing directory', () => {
  const path = join(folder, 'shard')
  expect(shortMessageOf(() => requireDirectory('p9Directory', path))).toBe(
    `\`p9Directory\` does not exist: ${path}; did you mean \`shared\`?`,
  )
})

test('does not suggest a symbolic link whose target is missing for itself', () => {
  const path = join(folder, 'rootfs')
  symlinkSync('/nonexistent', path)
  expect(shortMessageOf(() => requireFile('kernel', path))).toBe(`\`kernel\` does not exist: ${path}`)
})

test('suggests nothing for a path that exists and has another type', () => {
  const path = join(folder, 'shared')
  expect(shortMessageOf(() => requireFile('kernel', path))).toBe(
    `\`kernel\` is a directory, but must be a file: ${path}`,
  )
})
