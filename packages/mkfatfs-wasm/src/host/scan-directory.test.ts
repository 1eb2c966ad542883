import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { expect } from 'vitest'
import { test } from '../../test/scratch.ts'
import { scanDirectory } from './scan-directory.ts'

test('finds files and directories in an order that does not depend on the host', async ({ scratch }) => {
  const source = scratch.tree('source', {
    'b/two.txt': '22',
    'a.txt': '1',
    'b/c/three': '333',
    'b.txt': '',
    'empty/': '',
  })
  const { files, directories, bytes } = await scanDirectory(source, undefined)
  expect(directories.map(({ path }) => path)).toEqual(['', 'b', 'b/c', 'empty'])
  expect(files.map(({ path, size }) => [path, size])).toEqual([
    ['a.txt', 1],
    ['b.txt', 0],
    ['b/two.txt', 2],
    ['b/c/three', 3],
  ])
  expect(bytes).toBe(6)
})

test('keeps modification times', async ({ scratch }) => {
  const source = scratch.tree('source', { 'd/f': 'x' })
  utimesSync(scratch.at('source', 'd', 'f'), 1_000_000_000, 1_000_000_001)
  utimesSync(scratch.at('source', 'd'), 1_000_000_000, 1_000_000_002)
  const { files, directories } = await scanDirectory(source, undefined)
  expect(files[0]?.modified).toBe(1_000_000_001_000)
  expect(directories[1]?.modified).toBe(1_000_000_002_000)
})

test('replaces a link to a file in the directory by a copy of that file', async ({ scratch }) => {
  const source = scratch.tree('source', { 'real/file': 'contents' })
  symlinkSync('real/file', scratch.at('source', 'link'))
  symlinkSync('link', scratch.at('source', 'link-to-link'))
  symlinkSync(scratch.at('source', 'real', 'file'), scratch.at('source', 'absolute'))
  const { files } = await scanDirectory(source, undefined)
  expect(files.map(({ path, size }) => [path, size])).toEqual([
    ['absolute', 8],
    ['link', 8],
    ['link-to-link', 8],
    ['real/file', 8],
  ])
})

test('refuses entries that are neither files nor directories, and names each', async ({ scratch }) => {
  const source = scratch.tree('source', { 'dir/file': '' })
  const outside = scratch.tree('outside', { file: '' })
  // A directory outside of the source whose path begins with the path of the source.
  const sibling = scratch.tree('source-not', { file: '' })
  symlinkSync('dir', scratch.at('source', 'to-directory'))
  symlinkSync(`${outside}/file`, scratch.at('source', 'to-outside'))
  symlinkSync(`${sibling}/file`, scratch.at('source', 'to-sibling'))
  symlinkSync('/dev/null', scratch.at('source', 'to-device'))
  symlinkSync('nowhere', scratch.at('source', 'to-nothing'))
  symlinkSync('circle', scratch.at('source', 'circle'))
  execFileSync('mkfifo', [scratch.at('source', 'dir', 'pipe')])
  const server = createServer().listen(scratch.at('source', 'dir', 'socket'))
  await once(server, 'listening')
  const error: unknown = await scanDirectory(source, undefined).catch((error: unknown) => error)
  server.close()
  expect(error).toMatchObject({
    code: 'UNSUPPORTED_FILE',
    shortMessage: '8 entries are neither file nor directory.',
    offenders: [
      expect.stringMatching(/^circle \(broken link: ELOOP/),
      'to-device (link out of the directory: /dev/null)',
      'to-directory (link to a directory)',
      expect.stringMatching(/^to-nothing \(broken link: ENOENT/),
      `to-outside (link out of the directory: ${outside}/file)`,
      `to-sibling (link out of the directory: ${sibling}/file)`,
      'dir/pipe (named pipe)',
      'dir/socket (socket)',
    ],
  })
})

test.runIf(process.platform === 'linux')(
  'refuses a name that is not UTF-8 (other systems have none)',
  async ({ scratch }) => {
    const source = scratch.tree('source', { 'real \ufffd name': '' })
    writeFileSync(Buffer.concat([Buffer.from(`${source}/latin-`), Buffer.from([0xe9])]), '')
    await expect(scanDirectory(source, undefined)).rejects.toMatchObject({
      code: 'NAME_INVALID',
      offenders: ['latin-\ufffd (not UTF-8)'],
    })
  },
)

test('reads a tree that is too deep for recursion', async ({ scratch }) => {
  const depth = 1500
  mkdirSync(scratch.at('source', ...Array.from({ length: depth }, () => 'd')), { recursive: true })
  const { directories } = await scanDirectory(scratch.at('source'), undefined)
  expect(directories).toHaveLength(depth + 1)
})
