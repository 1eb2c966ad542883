import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { writeStateFile } from './state-file.ts'

test('writes an unknown stream unchanged', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'state')
  const stream = Buffer.alloc(3 << 20, 'another version')
  const pieces = Readable.from([stream.subarray(0, 1000), stream.subarray(1000)])
  expect(await writeStateFile(pieces, path, { base: undefined, layers: [] })).toEqual({
    ...{ path, headBytes: 0, pagesBytes: 0, isWhole: true },
  })
  expect(readFileSync(path).equals(stream)).toBe(true)
})
