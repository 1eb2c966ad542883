import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type Header, pack } from 'tar-stream'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { unpackTree } from './unpack-tree.ts'

/** The target directory, and a directory and a file beside it that must not change. */
let tree: string
let outside: string
let secret: string
beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  ;[tree, outside] = [join(folder, 'tree'), join(folder, 'outside')]
  for (const directory of [tree, outside]) mkdirSync(directory)
  secret = join(outside, 'secret')
  writeFileSync(secret, 'secret', { mode: 0o600 })
  chmodSync(outside, 0o700)
  for (const path of [secret, outside]) utimesSync(path, 1000, 1000)
})

type Entry = Partial<Header> & { readonly name: string; readonly content?: string }

async function archiveOf(...entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack()
  for (const { content = '', ...header } of entries) archive.entry(header, content)
  archive.finalize()
  return buffer(archive)
}

const directory = (name: string): Entry => ({ name, type: 'directory', mode: 0o777 })
const link = (name: string, linkname: string): Entry => ({ name, type: 'symlink', linkname })
const file = (name: string): Entry => ({ name, mode: 0o777, content: 'evil' })
const hardLink = (name: string, linkname: string): Entry => ({ name, type: 'link', linkname, mode: 0o777 })

function outsideNow(): object {
  return [outside, secret].map((path) => {
    const { mode, mtimeMs } = statSync(path)
    return { mode: mode & 0o777, mtimeMs, names: path === outside ? readdirSync(path) : readFileSync(path, 'utf8') }
  })
}

test.each<[string, () => readonly Entry[]]>([
  ['a path that leads out', () => [file('../outside/evil'), file('../../outside/secret')]],
  ['an absolute path', () => [file(join(outside, 'evil')), file(secret)]],
  ['a file below a link', () => [link('a', outside), file('a/evil'), file('a/secret')]],
  ['a file with the name of a link', () => [link('a', secret), file('a')]],
  ['a directory with the name of a link to a directory', () => [link('a', outside), directory('a')]],
  ['a directory with the name of a link to a file', () => [link('a', secret), directory('a')]],
  ['a directory with the name of a relative link', () => [link('a', '../outside'), directory('a/'), directory('a')]],
  ['a directory below a link', () => [link('a', outside), directory('a/evil')]],
  ['a hard link through a link', () => [link('a', outside), hardLink('b', 'a/secret'), file('b')]],
  ['a hard link to a path that leads out', () => [hardLink('b', '../outside/secret'), file('b')]],
  ['a link in a circle', () => [link('a', 'b'), link('b', 'a'), directory('a'), file('b/evil')]],
  ['a link of the root', () => [link('.', outside), file('evil')]],
])('an archive with %s changes nothing outside of its tree', async (_title, entries) => {
  const before = outsideNow()
  // Entries may be refused or replace each other.
  await unpackTree(await archiveOf(...entries()), tree).catch(() => {})
  expect(outsideNow()).toEqual(before)
})

test('a directory replaces a link of an earlier copy', async () => {
  symlinkSync(outside, join(tree, 'a'))
  await unpackTree(await archiveOf(directory('a'), file('a/evil')), tree)
  expect(lstatSync(join(tree, 'a')).isDirectory()).toBe(true)
  expect(readFileSync(join(tree, 'a/evil'), 'utf8')).toBe('evil')
  expect(readdirSync(outside)).toEqual(['secret'])
})

test('a target that is a link itself is used', async () => {
  const alias = join(tree, 'alias')
  symlinkSync(outside, alias)
  await unpackTree(await archiveOf(directory('.'), file('copied')), alias)
  expect(readdirSync(outside).toSorted()).toEqual(['copied', 'secret'])
})

test('keeps directories, modes, and links that lead nowhere', async () => {
  await unpackTree(await archiveOf(directory('a'), { ...file('a/run.sh'), mode: 0o4755 }, link('b', '/nowhere')), tree)
  expect(statSync(join(tree, 'a/run.sh')).mode & 0o7777).toBe(0o755)
  expect(lstatSync(join(tree, 'b')).isSymbolicLink()).toBe(true)
})
