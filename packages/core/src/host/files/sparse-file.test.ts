import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { copySparse } from './sparse-file.ts'

test('a copy has the same content, and its empty blocks take no space', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [from, to] = [join(folder, 'from'), join(folder, 'to')]
  const content = Buffer.alloc((4 << 20) + 100)
  for (const at of [5, (1 << 20) - 1, 3 << 20, content.length - 1]) content[at] = 1
  writeFileSync(from, content)
  await copySparse(from, to)
  expect(readFileSync(to).equals(content)).toBe(true)
  // If the file system shares blocks, the copy takes the blocks of the original.
  expect(statSync(to).blocks * 512).toSatisfy((bytes) => bytes < 1 << 17 || bytes === statSync(from).blocks * 512)
})
