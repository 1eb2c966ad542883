import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { describe, expect } from 'vitest'
import { test } from '../test/scratch.ts'
import { type FatFile, mkfatfs, readFatImage } from './index.ts'
import { mkfatfs as mkfatfsWeb } from './mkfatfs.ts'

const contents = {
  'a/b/c.txt': 'text',
  'large.bin': new Uint8Array(3_000_000).fill(7),
  'zeros.bin': new Uint8Array(2_000_000),
}

async function* asynchronous(files: Iterable<FatFile>): AsyncGenerator<FatFile> {
  yield* files
}

describe('files in memory', () => {
  test.for([
    ['fat12', 54, 'FAT12   '],
    ['fat16', 54, 'FAT16   '],
    ['fat32', 82, 'FAT32   '],
  ] as const)('as %s have its name in the boot sector, because U-Boot reads it', async ([type, offset, name]) => {
    const bytes = Buffer.from(await (await mkfatfs({ files: contents, type })).toBytes())
    expect(bytes.toString('latin1', offset, offset + name.length)).toBe(name)
  })

  test.for([
    ['an object', contents],
    ['a Map', new Map(Object.entries(contents))],
    ['entries', Object.entries(contents).map(([path, contents]) => ({ path, contents }))],
    [
      'asynchronous entries with Blobs',
      asynchronous(Object.entries(contents).map(([path, data]) => ({ path, contents: new Blob([data]) }))),
    ],
    [
      'leading slashes and ArrayBuffers',
      Object.entries(contents).map(([path, data]) => ({
        path: `/${path}`,
        contents: typeof data === 'string' ? data : data.buffer,
      })),
    ],
  ] as const)('from %s give the same image', async ([, files]) => {
    const image = await mkfatfs({ files })
    const reference = await mkfatfsWeb({ files: contents })
    expect(Buffer.from(await image.toBytes()).equals(await reference.toBytes())).toBe(true)
    await using read = await readFatImage(await image.toBytes())
    expect((await read.list()).map(({ path, size }) => [path, size])).toEqual([
      ['a', 0],
      ['a/b', 0],
      ['a/b/c.txt', 4],
      ['large.bin', 3_000_000],
      ['zeros.bin', 2_000_000],
    ])
  })

  test.for(['none', 'mbr', 'gpt', 'hybrid'] as const)(
    'with the partition table %s give the same bytes as a file, a Blob and a stream',
    async (partitionTable, { scratch }) => {
      const image = await mkfatfs({ files: contents, partitionTable, size: '16M' })
      const bytes = Buffer.from(await image.toBytes())
      expect(bytes.length).toBe(16 * 2 ** 20)
      await image.toFile(scratch.at('disk.img'))
      expect(readFileSync(scratch.at('disk.img')).equals(bytes)).toBe(true)
      expect(Buffer.from(await (await image.toBlob()).arrayBuffer()).equals(bytes)).toBe(true)
      expect((await buffer(image.toStream())).equals(bytes)).toBe(true)
    },
  )

  test('directories can be empty and have a time', async () => {
    const modified = new Date('2020-02-03T04:05:06Z')
    const image = await mkfatfs({
      files: [
        { path: 'empty/', modified },
        { path: 'file', modified: modified.getTime() },
        { path: 'old', contents: 'x' },
        { path: 'given', contents: new File(['x'], 'given', { lastModified: modified.getTime() }) },
      ],
    })
    await using read = await readFatImage(await image.toBytes())
    expect((await read.list()).map(({ path, modified }) => [path, modified?.toISOString()])).toEqual([
      ['empty', '2020-02-03T04:05:06.000Z'],
      ['file', '2020-02-03T04:05:06.000Z'],
      ['given', '2020-02-03T04:05:06.000Z'],
      ['old', '1980-01-01T00:00:00.000Z'],
    ])
  })

  test.for([
    ['a path that leads up', { 'a/../b': '' }, 'NAME_INVALID', 'a/../b (".." in a path)'],
    ['an empty name', { 'a//b': '' }, 'NAME_INVALID', 'a//b (empty name)'],
    ['a reserved character', { 'a:b': '' }, 'NAME_INVALID', 'a:b (reserved character :)'],
    ['a file and a directory of one name', { a: '', 'A/b': '' }, 'NAME_COLLISION', 'A and a'],
    ['a number as contents', { a: 1 }, 'INVALID_OPTION', undefined],
    ['contents of a directory', { 'a/': 'x' }, 'INVALID_OPTION', undefined],
    ['no time', [{ path: 'a', modified: Number.NaN }], 'INVALID_OPTION', undefined],
    ['an entry without a path', [{ contents: 'x' }], 'INVALID_OPTION', undefined],
    ['a number', 1, 'INVALID_OPTION', undefined],
  ] as const)('with %s are refused', async ([, files, code, offender]) => {
    await expect(mkfatfs({ files: files as unknown as Record<string, string> })).rejects.toMatchObject({
      code,
      offenders: offender === undefined ? [] : [offender],
    })
  })

  test('are refused together with a directory, and when there are none', async ({ scratch }) => {
    const directory = scratch.tree('source', {})
    await expect(mkfatfs({ directory, files: {} })).rejects.toThrow('`directory` and `files` exclude each other.')
    await expect(mkfatfs({})).rejects.toThrow('There is nothing to pack')
    await expect((mkfatfs as (directory: string) => Promise<unknown>)(directory)).rejects.toThrow('lacks the path')
  })
})

describe('streams', () => {
  const stream = (size: number, ...chunks: readonly Uint8Array[]) => ({
    size,
    stream: async function* () {
      yield* chunks
    },
  })

  test.for([
    ['fewer', 5],
    ['more', 3],
  ] as const)('that yield %s bytes than their size are refused', async ([, size]) => {
    const image = await mkfatfs({ files: { 'a.bin': stream(size, new Uint8Array(4)) } })
    await expect(image.toBytes()).rejects.toMatchObject({ code: 'SOURCE_CHANGED', offenders: ['a.bin'] })
  })

  test('streams that fail are reported with their file, and the output stream fails too', async () => {
    const cause = new Error('gone')
    const broken = {
      size: 4,
      stream: async function* (): AsyncGenerator<Uint8Array> {
        yield new Uint8Array(2)
        throw cause
      },
    }
    const image = await mkfatfs({ files: { 'a.bin': broken } })
    await expect(image.toBytes()).rejects.toMatchObject({ code: 'READ_FAILED', offenders: ['a.bin'], cause })
    await expect(buffer(image.toStream())).rejects.toMatchObject({ code: 'READ_FAILED' })
  })

  test('streams of an image can be cancelled, and an abort ends them', async () => {
    const controller = new AbortController()
    const files = { 'a.bin': new Uint8Array(9_000_000).fill(1) }
    const image = await mkfatfs({ files, signal: controller.signal })
    await image.toStream().cancel('enough')
    const reason = new Error('stop')
    controller.abort(reason)
    await expect(image.toBytes()).rejects.toBe(reason)
  })
})

test('progress counts the bytes of the contents', async () => {
  const progress: number[] = []
  const image = await mkfatfs({
    files: contents,
    onProgress: ({ bytes, totalBytes }) => progress.push(bytes / totalBytes),
  })
  await image.toBytes()
  expect(progress.length).toBeGreaterThan(2)
  expect(progress).toEqual(progress.toSorted((a, b) => a - b))
  expect(progress.at(-1)).toBe(1)
})
