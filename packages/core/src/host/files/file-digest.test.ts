import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { fileDigest } from './file-digest.ts'

test('concurrent requests for one file get its digest, which is remembered once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'kernel')
  writeFileSync(file, 'content')
  const digests = join(folder, 'digests')
  const all = await Promise.all(Array.from({ length: 20 }, () => fileDigest(file, digests)))
  expect(new Set(all).size).toBe(1)
  expect(readdirSync(digests)).toHaveLength(1)
})

test('returns a digest that cannot be remembered', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'kernel')
  writeFileSync(file, 'content')
  expect(await fileDigest(file, join(file, 'digests'))).toMatch(/^[0-9a-f]{64}$/)
})
