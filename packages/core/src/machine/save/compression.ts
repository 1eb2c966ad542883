/** Compression of archives: zstd, or gzip on a Node without zstd (before 22.15). */
import { open } from 'node:fs/promises'
import { Duplex, type Readable } from 'node:stream'
import { promisify } from 'node:util'
import * as zlib from 'node:zlib'
import { messageOf, OptionError, StartError } from '../../errors.ts'

const ZSTD = Buffer.from([0x28, 0xb5, 0x2f, 0xfd])
const GZIP = Buffer.from([0x1f, 0x8b])

/** Whether this Node supports zstd (22.15 and later). */
function hasZstd(): boolean {
  return 'createZstdCompress' in zlib
}

/** Size of output chunks, bytes. With the default of 16 KiB, most of the time would be spent on passing chunks on. */
export const CHUNK: number = 1 << 20

/** Creates a compressor with the fastest level and a checksum. */
export function createCompressor(): Duplex {
  if (!hasZstd()) return zlib.createGzip({ level: 1, chunkSize: CHUNK })
  return zlib.createZstdCompress({ chunkSize: CHUNK, params: zstdParameters() })
}

/** Compresses a buffer, in the same format as {@link createCompressor}. */
export function compress(bytes: Uint8Array): Promise<Buffer> {
  if (!hasZstd()) return promisify(zlib.gzip)(bytes, { level: 1, chunkSize: CHUNK })
  return promisify(zlib.zstdCompress)(bytes, { chunkSize: CHUNK, params: zstdParameters() })
}

/**
 * Decompresses the output of {@link compress}.
 * @throws as {@link openCompressed}; the error of the library if the data is damaged or larger than 1 GiB
 */
export async function decompress(bytes: Uint8Array, name: string): Promise<Buffer> {
  const limit = { chunkSize: CHUNK, maxOutputLength: MOST_OUTPUT }
  return isZstd(bytes, name) ? promisify(zlib.zstdDecompress)(bytes, limit) : promisify(zlib.gunzip)(bytes, limit)
}

/** Most decompressed bytes. */
const MOST_OUTPUT = 1 << 30

function zstdParameters(): Record<number, number> {
  const { ZSTD_c_compressionLevel: level, ZSTD_c_checksumFlag: checksum } = zlib.constants
  return { [level]: 1, [checksum]: 1 }
}

/**
 * Opens a file that was compressed with {@link createCompressor}, in zstd or gzip format.
 * @throws OptionError `FILE_MISSING`, `MACHINE_FILE_INVALID`; StartError `UNSUPPORTED_PLATFORM` for zstd on an older
 * Node
 */
export async function openCompressed(path: string): Promise<Readable> {
  const start = await firstBytes(path)
  const decompressor = decompressorFor(start, path)
  feed(decompressor, path).catch((error: Error) => decompressor.destroy(error))
  return decompressor
}

/** Writes a file to a stream. Alternates between two buffers, because garbage collection of new ones takes longest. */
async function feed(stream: Duplex, path: string): Promise<void> {
  const closed = new Promise<void>((resolve) => void stream.once('close', resolve))
  const buffers = [Buffer.allocUnsafe(CHUNK), Buffer.allocUnsafe(CHUNK)]
  await using file = await open(path)
  let written: Promise<unknown> = Promise.resolve()
  for (const buffer of endlessly(buffers)) {
    const { bytesRead } = await file.read(buffer)
    await written
    if (stream.destroyed) return
    if (bytesRead === 0) break
    const taken = new Promise((resolve) => void stream.write(buffer.subarray(0, bytesRead), resolve))
    written = Promise.race([taken, closed])
  }
  stream.end()
}

function* endlessly<T>(items: readonly T[]): Generator<T> {
  for (;;) yield* items
}

/** Same as {@link openCompressed}, for a stream whose first bytes are known. */
export function decompressorFor(start: Uint8Array, name: string): Duplex {
  // Buffers some chunks, because another thread decompresses them while this one uses earlier ones.
  const options = { chunkSize: CHUNK, readableHighWaterMark: 4 * CHUNK }
  return isZstd(start, name) ? zlib.createZstdDecompress(options) : zlib.createGunzip(options)
}

/** Whether the format is zstd, not gzip. @throws as {@link openCompressed} for another format */
function isZstd(start: Uint8Array, name: string): boolean {
  const bytes = Buffer.from(start.subarray(0, ZSTD.length))
  if (bytes.equals(ZSTD)) {
    if (hasZstd()) return true
    throw new StartError(
      'UNSUPPORTED_PLATFORM',
      `${name} is compressed with zstd, which Node ${process.version} does not support`,
      { hint: 'Use Node 22.15 or newer.' },
    )
  }
  if (bytes.subarray(0, GZIP.length).equals(GZIP)) return false
  throw new OptionError('MACHINE_FILE_INVALID', `${name} was not written by coldboot: it is neither zstd nor gzip`)
}

async function firstBytes(path: string): Promise<Buffer> {
  try {
    await using file = await open(path)
    const bytes = Buffer.alloc(ZSTD.length)
    const { bytesRead } = await file.read(bytes)
    return bytes.subarray(0, bytesRead)
  } catch (cause) {
    const why = messageOf(cause)
    throw new OptionError('FILE_MISSING', `${path} cannot be read: ${why}`, { cause })
  }
}
