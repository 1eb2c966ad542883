import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { pack } from 'tar-stream'
import { expect, onTestFinished, test } from 'vitest'
import { damaged, fuzz } from '../../../test/fuzz.ts'
import { ColdbootError } from '../../errors.ts'
import { ArchiveReader, ArchiveWriter } from './archive.ts'
import { decompressorFor } from './compression.ts'
import { isMachineFileName } from './machine-file.ts'

/** Reads the whole archive. Returns the number of bytes. */
async function drain(source: Readable): Promise<number> {
  await using archive = new ArchiveReader(source, 'it', isMachineFileName)
  let bytes = 0
  for (let entry = await archive.next(); entry; entry = await archive.next()) {
    for await (const chunk of archive.chunks(entry)) bytes += chunk.length
  }
  return bytes
}

async function outcome(source: () => Readable): Promise<number | string> {
  try {
    return await drain(source())
  } catch (error) {
    if (ColdbootError.is(error)) return error.code
    throw error
  }
}

test('a damaged machine file is refused or read, however it is compressed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const writer = ArchiveWriter.create(join(folder, 'file'))
  await writer.add('manifest.json', '{}')
  await writer.add('console.log', 'booted\n')
  await writer.add('files/disk0.qcow2', 'layer')
  await writer.add('state/00000', Buffer.from(Array.from({ length: 3000 }, (_, index) => (index * index) % 251)))
  await writer.finish()
  const tar = pack()
  for (const name of ['manifest.json', 'state/00000']) tar.entry({ name }, 'content')
  tar.entry({ name: 'end' }, '')
  tar.finalize()
  const plain = await buffer(tar)
  await fc.assert(
    fc.asyncProperty(damaged(readFileSync(join(folder, 'file')), gzipSync(plain)), async (bytes) => {
      const result = await outcome(() => Readable.from([bytes]).pipe(decompressorFor(bytes, 'it')))
      expect(typeof result === 'number' ? 'read' : result).toMatch(/^(?:read|MACHINE_FILE_INVALID)$/)
    }),
    fuzz(150),
  )
  // Compresses the damaged data, so that the damage reaches the tar reader.
  await fc.assert(
    fc.asyncProperty(damaged(plain), async (bytes) => {
      const result = await outcome(() => Readable.from([bytes]))
      expect(typeof result === 'number' ? result <= bytes.length : result).toEqual(
        typeof result === 'number' ? true : 'MACHINE_FILE_INVALID',
      )
    }),
    fuzz(250),
  )
})
