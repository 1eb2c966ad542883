import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test as base, expect, onTestFinished } from 'vitest'
import { damagedFiles, hasContent, writeContent } from './package-content.mjs'

const test = base.extend('folder', () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-content-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  return folder
})

const part = (name: string, copyright: string) => ({
  package: {
    ...{ name, version: '1:2.0-1', architecture: 'amd64', file: `${name}_1%3a2.0-1_amd64.deb`, source: 'tool' },
    ...{ sourceVersion: '1:2.0-1', sizeBytes: 1, sha256: 'ab'.repeat(32), depends: [] },
  },
  copyright,
})
const CONTENT = {
  key: 'k1',
  files: new Map([
    ['bin/tool', { data: Buffer.from('program'), executable: true }],
    ['share/data', { data: Buffer.from('data') }],
  ]),
  parts: [part('tool', 'GPL-2\n'), part('libtool', 'GPL-2\n')],
}

test('writes files, licences, sources and a manifest of them', async ({ folder }) => {
  await writeContent(folder, CONTENT)
  const written = ['COPYRIGHT', 'SOURCES', 'bin', 'bin/tool', 'manifest.json', 'share', 'share/data']
  expect(new Set(readdirSync(folder, { encoding: 'utf8', recursive: true }))).toEqual(new Set(written))
  expect(statSync(join(folder, 'bin/tool')).mode & 0o111).toBe(0o111)
  expect(statSync(join(folder, 'share/data')).mode & 0o111).toBe(0)
  const text = readFileSync(join(folder, 'SOURCES'), 'utf8')
  expect(text).toContain('https://snapshot.debian.org/package/tool/1%3A2.0-1/')
  expect(text).toContain('libtool_1%3a2.0-1_amd64.deb sha256 abab')
  expect(readFileSync(join(folder, 'COPYRIGHT'), 'utf8').match(/GPL-2/g)).toHaveLength(1)
})

test('writes the same bytes for the same input in another order', async ({ folder }) => {
  await writeContent(join(folder, 'a'), CONTENT)
  const reversed = { ...CONTENT, files: new Map([...CONTENT.files].reverse()), parts: CONTENT.parts.toReversed() }
  await writeContent(join(folder, 'b'), reversed)
  for (const name of ['manifest.json', 'COPYRIGHT', 'SOURCES']) {
    expect(readFileSync(join(folder, 'b', name))).toEqual(readFileSync(join(folder, 'a', name)))
  }
})

test('removes the files of earlier content, and no others', async ({ folder }) => {
  await writeContent(folder, CONTENT)
  writeFileSync(join(folder, 'package.json'), '{}')
  await writeContent(folder, { ...CONTENT, files: new Map([['bin/other', { data: Buffer.from('x') }]]) })
  expect(readdirSync(join(folder, 'bin'))).toEqual(['other'])
  expect(readdirSync(folder)).toContain('package.json')
})

test('recognises the content of a key, and files that were changed or removed', async ({ folder }) => {
  expect(hasContent(folder, 'k1')).toBe(false)
  await writeContent(folder, CONTENT)
  expect(hasContent(folder, 'k1')).toBe(true)
  expect(hasContent(folder, 'k2')).toBe(false)
  expect(await damagedFiles(folder)).toEqual([])
  writeFileSync(join(folder, 'share/data'), 'other')
  expect(await damagedFiles(folder)).toEqual(['share/data'])
  rmSync(join(folder, 'share/data'))
  expect(hasContent(folder, 'k1')).toBe(false)
})
