/** Reads a part of a file. Decompresses gzip and zstd, recognized by their first bytes. */
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import * as zlib from 'node:zlib'
import { OptionError, StartError } from '@coldboot/core'
import type { FileContent } from './root-tree.ts'

/** A part of a file of the host. */
export interface ByteRange {
  readonly content: FileContent
  /** Bytes. */
  readonly size: number
}

const CHUNK = 1 << 20
const LONGEST_MAGIC = 6
const GZIP = Buffer.from([0x1f, 0x8b])
const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
/** Formats that Node cannot read. */
const OTHERS: readonly (readonly [name: string, program: string, magic: Buffer])[] = [
  ['xz', 'xz -d', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00])],
  ['bzip2', 'bzip2 -d', Buffer.from('BZh')],
  ['lz4', 'lz4 -d', Buffer.from([0x04, 0x22, 0x4d, 0x18])],
]

/**
 * Opens the content. Errors of the file and of the format are errors of the stream.
 * @param owner name of the archive for error messages
 * @throws OptionError `ROOTFS_INVALID` for another format; StartError `UNSUPPORTED_PLATFORM` for zstd on an older Node
 */
export async function openDecompressed(owner: string, range: ByteRange): Promise<Readable> {
  const start = await readRange(range, LONGEST_MAGIC)
  const startsWith = (magic: Buffer): boolean => start.subarray(0, magic.length).equals(magic)
  const other = OTHERS.find(([, , magic]) => startsWith(magic))
  if (other !== undefined) {
    throw new OptionError('ROOTFS_INVALID', `${owner} is compressed with ${other[0]}, which cannot be read`, {
      hint: `Decompress it with \`${other[1]}\`, or compress it with gzip or zstd instead.`,
    })
  }
  if (startsWith(GZIP)) return through(range, zlib.createGunzip({ chunkSize: CHUNK }))
  if (!startsWith(ZSTD)) return rawStream(range)
  if (!('createZstdDecompress' in zlib)) {
    const message = `${owner} is compressed with zstd, which Node ${process.version} does not support`
    throw new StartError('UNSUPPORTED_PLATFORM', message, { hint: 'Use Node 22.15 or newer.' })
  }
  return through(range, zlib.createZstdDecompress({ chunkSize: CHUNK }))
}

/** Reads up to `most` bytes from the start of a part of a file. */
export async function readRange({ content, size }: ByteRange, most: number = size): Promise<Buffer> {
  await using file = await open(content.path)
  const bytes = Buffer.alloc(Math.min(size, most))
  const { bytesRead } = await file.read(bytes, 0, bytes.length, content.offset)
  return bytes.subarray(0, bytesRead)
}

function through(range: ByteRange, decompressor: zlib.Gunzip | zlib.ZstdDecompress): Readable {
  const raw = rawStream(range)
  raw.once('error', (error) => decompressor.destroy(error))
  decompressor.once('close', () => raw.destroy())
  return raw.pipe(decompressor)
}

function rawStream({ content, size }: ByteRange): Readable {
  const { path, offset: start } = content
  return createReadStream(path, { start, end: start + size - 1, highWaterMark: CHUNK })
}
