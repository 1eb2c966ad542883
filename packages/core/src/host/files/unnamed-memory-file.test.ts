import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { copyMemory, unnamedMemoryFile } from './unnamed-memory-file.ts'

test.skipIf(process.platform !== 'linux')('a memory file has no name, and is copied by its descriptor', async () => {
  await using file = await unnamedMemoryFile(1 << 20)
  if (file === undefined) throw new Error('/dev/shm of this host is too small for the test')
  expect((await file.stat()).nlink).toBe(0)
  await file.write('content', 5)
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  await copyMemory(file, join(folder, 'copy'))
  expect(readFileSync(join(folder, 'copy'), 'latin1')).toBe('\0\0\0\0\0content')
})

test('a memory file is not made if it would take more than half of the free memory', async () => {
  expect(await unnamedMemoryFile(2 ** 50)).toBeUndefined()
})
