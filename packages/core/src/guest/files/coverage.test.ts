import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { type Header, pack } from 'tar-stream'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import type { Guest } from '../guest.ts'
import { collectCoverage } from './coverage.ts'

let folder: string
let to: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  to = join(folder, 'to')
  mkdirSync(to)
})

type Entry = Partial<Header> & { readonly name: string; readonly content?: string }

/** A guest that prints these names, and whose copy of the files has these entries. */
async function guestWith(names: readonly string[], ...entries: readonly Entry[]): Promise<Guest> {
  const archive = pack()
  for (const { content = '', ...header } of entries) archive.entry(header, content)
  archive.finalize()
  const bytes = await buffer(archive)
  const stdoutOf = (command: string): string | Buffer => {
    if (command.startsWith('tar ')) return bytes
    return command.startsWith('cd ') ? names.map((name) => `${name}\n`).join('') : 'directory\n'
  }
  const run = async (command: string): Promise<object> => ({ stdout: stdoutOf(command) })
  return { name: 'vm', run } as unknown as Guest
}

const script = (url: string): string => JSON.stringify({ result: [{ url, functions: [] }], timestamp: 1 })

test('changes the guest folders in the URLs of the scripts', async () => {
  const guest = await guestWith(['./coverage-1.json'], { name: 'coverage-1.json', content: script('file:///srv/a.js') })
  const files = await collectCoverage(guest, { format: 'v8', from: '/tmp/v8', to, sources: { '/srv': '/host' } })
  expect(files).toEqual([join(to, 'coverage-1.json')])
  expect(JSON.parse(readFileSync(files[0] ?? '', 'utf8'))).toEqual(JSON.parse(script('file:///host/a.js')))
})

test('ignores names outside of the folder, and links', async () => {
  const secret = join(folder, 'coverage-secret.json')
  writeFileSync(secret, script('file:///srv/secret.js'))
  const guest = await guestWith(
    ['./coverage-1.json', '../coverage-secret.json', './coverage-link.json', './link/coverage-secret.json'],
    { name: 'coverage-1.json', content: script('file:///srv/a.js') },
    { name: 'coverage-link.json', type: 'symlink', linkname: secret },
    { name: 'link', type: 'symlink', linkname: folder },
  )
  const files = await collectCoverage(guest, { format: 'v8', from: '/tmp/v8', to, sources: { '/srv': '/host' } })
  expect(files).toEqual([join(to, 'coverage-1.json')])
  expect(readFileSync(secret, 'utf8')).toBe(script('file:///srv/secret.js'))
})

test.for(['{', 'null', '{}', '{"result":[null]}', '{"result":[{"url":1}]}'])(
  'refuses a file that is not coverage of Node: %s',
  async (content) => {
    const guest = await guestWith(['./coverage-1.json'], { name: 'coverage-1.json', content })
    await expect(collectCoverage(guest, { format: 'v8', from: '/tmp/v8', to })).rejects.toMatchObject({
      code: 'GUEST_FILE_FAILED',
      path: '/tmp/v8',
      shortMessage: expect.stringMatching(/^The coverage of v8 of "vm" cannot be used: ./),
    })
  },
)

test('reports a guest whose only names are not in its copy', async () => {
  const guest = await guestWith(['/etc/passwd'])
  const collecting = collectCoverage(guest, { format: 'go', from: '/tmp/go', to })
  await expect(collecting).rejects.toMatchObject({ code: 'GUEST_FILE_MISSING' })
})

test('keeps a link that has the name of the notes of the compiler', async () => {
  const notes = join(folder, 'program.gcno')
  writeFileSync(notes, 'notes')
  const copy = folder.slice(1)
  const guest = await guestWith(
    [`./${copy}/program.gcda`],
    { name: `${copy}/program.gcda`, content: 'data' },
    { name: `${copy}/program.gcno`, type: 'symlink', linkname: '/nonexistent' },
  )
  const files = await collectCoverage(guest, { format: 'gcov', from: '/tmp/counts', to })
  expect(files).toEqual([join(to, copy, 'program.gcda')])
  expect(lstatSync(join(to, copy, 'program.gcno')).isSymbolicLink()).toBe(true)
})
