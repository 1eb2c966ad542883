import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pack } from 'tar-stream'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ArchiveReader, ArchiveWriter, isPlainPath } from './archive.ts'
import { openCompressed } from './compression.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})

async function read(path: string): Promise<Record<string, string>> {
  await using archive = new ArchiveReader(await openCompressed(path), 'it', isPlainPath)
  const found: Record<string, string> = {}
  for (let entry = await archive.next(); entry; entry = await archive.next()) {
    found[entry.name] = (await archive.bytes(entry)).toString()
  }
  return found
}

test('reads back the files of an archive, which only its owner can read', async () => {
  const path = join(folder, 'archive')
  writeFileSync(join(folder, 'large'), 'x'.repeat(3_000_000))
  const writer = ArchiveWriter.create(path)
  await writer.add('a', 'first')
  await writer.add('empty', '')
  await writer.addFile('files/large', join(folder, 'large'))
  await writer.finish()
  expect(await read(path)).toEqual({ a: 'first', empty: '', 'files/large': 'x'.repeat(3_000_000) })
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('skips entries that are not read', async () => {
  const path = join(folder, 'archive')
  const writer = ArchiveWriter.create(path)
  await writer.add('a', 'x'.repeat(1_000_000))
  await writer.add('b', 'second')
  await writer.finish()
  await using archive = new ArchiveReader(await openCompressed(path), 'it', isPlainPath)
  expect(await archive.peek()).toMatchObject({ name: 'a' })
  expect(await archive.next()).toMatchObject({ name: 'a', size: 1_000_000 })
  expect((await archive.bytes(await archive.require('b'))).toString()).toBe('second')
})

describe('a writer is abandoned', () => {
  test('beyond its limit of bytes', async () => {
    const writer = ArchiveWriter.create(join(folder, 'archive'), { maxBytes: 1000 })
    const random = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 251))
    const write = async (): Promise<void> => {
      for (let part = 0; part < 100; part++) await writer.add(`part${part}`, random.subarray(part))
      await writer.finish()
    }
    await expect(write()).rejects.toMatchObject({ code: 'SAVE_ABANDONED' })
    await expect(writer.add('more', '')).rejects.toMatchObject({ code: 'SAVE_ABANDONED' })
    await writer.abandon()
  })

  test('a writer is abandoned when its signal aborts', async () => {
    const abort = new AbortController()
    const writer = ArchiveWriter.create(join(folder, 'archive'), { signal: abort.signal })
    await writer.add('a', 'first')
    abort.abort(new Error('too late'))
    await expect(writer.add('b', 'second')).rejects.toThrow(/abort|late|destroy/i)
    await writer.abandon()
  })
})

/** An archive made by another program. */
async function foreign(...headers: Parameters<ReturnType<typeof pack>['entry']>[0][]): Promise<Readable> {
  const tar = pack()
  for (const header of headers) tar.entry(header, (header.type ?? 'file') === 'file' ? 'content' : '')
  tar.finalize()
  return Readable.from([await buffer(tar)])
}

describe('a reader refuses', () => {
  test.each([
    ['a path that leads out', { name: '../evil' }],
    ['an absolute path', { name: '/etc/evil' }],
    ['a path that leads out from further in', { name: 'files/../../evil' }],
    ['a hidden name', { name: 'files/.profile' }],
    ['a link', { name: 'files/link', type: 'symlink', linkname: '/etc/passwd' }],
    ['a device', { name: 'files/null', type: 'character-device' }],
    ['a folder', { name: 'files', type: 'directory' }],
  ] as const)('%s', async (_title, header) => {
    await using archive = new ArchiveReader(await foreign(header), 'it', isPlainPath)
    await expect(archive.next()).rejects.toMatchObject({ code: 'MACHINE_FILE_INVALID' })
  })

  test('a duplicate name', async () => {
    await using archive = new ArchiveReader(await foreign({ name: 'a' }, { name: 'a' }), 'it', isPlainPath)
    await archive.next()
    await expect(archive.next()).rejects.toMatchObject({ code: 'MACHINE_FILE_INVALID' })
  })

  test('a truncated or modified archive', async () => {
    const path = join(folder, 'archive')
    const writer = ArchiveWriter.create(path)
    await writer.add('a', Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * index * 31) % 65_521)))
    await writer.finish()
    const bytes = readFileSync(path)
    for (const length of [bytes.length - 100, bytes.length >> 1, 20]) {
      writeFileSync(path, bytes.subarray(0, length))
      await expect(read(path)).rejects.toMatchObject({ code: 'MACHINE_FILE_INVALID' })
    }
    bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 0xff, bytes.length >> 1)
    writeFileSync(path, bytes)
    await expect(read(path)).rejects.toMatchObject({ code: 'MACHINE_FILE_INVALID' })
  })

  test('a modified archive of which only the first file is read', async () => {
    const path = join(folder, 'archive')
    const writer = ArchiveWriter.create(path)
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * index * 31) % 65_521))
    for (const name of ['a', 'b']) await writer.add(name, content)
    await writer.finish()
    const bytes = readFileSync(path)
    for (const part of [0.2, 0.4, 0.6, 0.8]) {
      const damaged = Buffer.from(bytes)
      const at = Math.floor(part * bytes.length)
      damaged.writeUInt8(damaged.readUInt8(at) ^ 0xff, at)
      writeFileSync(path, damaged)
      const check = async (): Promise<void> => {
        await using archive = new ArchiveReader(await openCompressed(path), 'it', isPlainPath)
        await archive.bytes(await archive.require('a'))
        await archive.finish()
      }
      await expect(check()).rejects.toMatchObject({ code: 'MACHINE_FILE_INVALID' })
    }
  })

  test('a file that is not an archive, and a missing file', async () => {
    writeFileSync(join(folder, 'text'), 'hello')
    await expect(openCompressed(join(folder, 'text'))).rejects.toMatchObject({ code: 'MACHINE_FILE_INVALID' })
    await expect(openCompressed(join(folder, 'nothing'))).rejects.toMatchObject({ code: 'FILE_MISSING' })
  })
})

test('the content of an archive is the same, although each chunk is freed after its use', async () => {
  const path = join(folder, 'archive')
  const writer = ArchiveWriter.create(path)
  const content = Buffer.alloc(5_000_000)
  for (let at = 0; at < content.length; at += 4) content.writeUInt32LE((at * 2_654_435_761) % 2 ** 32, at)
  for (const part of [0, 1, 2, 3]) await writer.add(`part${part}`, content.subarray(part * 1000))
  await writer.finish()
  await using archive = new ArchiveReader(await openCompressed(path), 'it', isPlainPath)
  let freed = 0
  for (const part of [0, 1, 2, 3]) {
    const entry = await archive.require(`part${part}`)
    const chunks: Buffer[] = []
    let at = part * 1000
    for await (const chunk of archive.chunks(entry)) {
      expect(chunk.equals(content.subarray(at, at + chunk.length))).toBe(true)
      at += chunk.length
      chunks.push(chunk)
    }
    expect(at).toBe(content.length)
    freed += chunks.filter(({ length }) => length === 0).length
  }
  expect(freed).toBeGreaterThan(10)
})
