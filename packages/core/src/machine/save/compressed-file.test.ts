import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { compressedFile } from './compressed-file.ts'

function folderOfTest(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

test('compresses files with the same content only once', async () => {
  const folder = folderOfTest()
  const cache = join(folder, 'cache')
  for (const name of ['one', 'two']) writeFileSync(join(folder, name), 'kernel')
  const first = await compressedFile(cache, join(folder, 'one'))
  const [entry = ''] = readdirSync(join(cache, 'compressed'))
  writeFileSync(join(cache, 'compressed', entry), 'remembered')
  const second = await compressedFile(cache, join(folder, 'two'))
  expect(first.length).toBeGreaterThan(6)
  expect(Buffer.from(second).toString()).toBe('remembered')
})

test('removes files that were not used for two weeks', async () => {
  const folder = folderOfTest()
  const cache = join(folder, 'cache')
  const file = join(folder, 'kernel')
  for (const content of ['old', 'new', 'newer']) {
    writeFileSync(file, content)
    await compressedFile(cache, file)
    const kept = join(cache, 'compressed')
    if (content === 'old') for (const name of readdirSync(kept)) utimesSync(join(kept, name), 1, 1)
  }
  expect(readdirSync(join(cache, 'compressed'))).toHaveLength(2)
})

test('compresses without a cache too', async () => {
  const folder = folderOfTest()
  writeFileSync(join(folder, 'file'), '')
  writeFileSync(join(folder, 'kernel'), 'kernel')
  const cache = join(folder, 'file', 'cache')
  expect((await compressedFile(cache, join(folder, 'kernel'))).length).toBeGreaterThan(6)
})
