/** Files with holes, such as guest memory: blocks that are all zero take no space on the disk. */
import { constants } from 'node:fs'
import { copyFile, type FileHandle, open } from 'node:fs/promises'
import { writeAll } from './write-all.ts'

/** Size of the blocks that are checked for zeros, bytes. */
const BLOCK = 4096
const ZERO = Buffer.alloc(BLOCK)
/** Number of bytes that are read at once. */
const WINDOW = 1 << 20

/** Writes the blocks of a chunk that are not all zero. The file must have only zeros at the position of the chunk. */
export async function writeSparse(file: FileHandle, chunk: Buffer, position: number): Promise<void> {
  for (const [start, end] of runsOf(chunk)) await writeAll(file, [chunk.subarray(start, end)], position + start)
}

/** Copies a file. Shares blocks (reflinks) if the file system supports it, otherwise skips blocks that are all zero. */
export async function copySparse(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to, constants.COPYFILE_FICLONE_FORCE)
  } catch {
    await using source = await open(from)
    await using target = await open(to, 'w', 0o600)
    await target.truncate((await source.stat()).size)
    const window = Buffer.alloc(WINDOW)
    for (let at = 0; ; ) {
      const { bytesRead } = await source.read(window, 0, WINDOW, at)
      if (bytesRead === 0) return
      await writeSparse(target, window.subarray(0, bytesRead), at)
      at += bytesRead
    }
  }
}

/** Ranges of consecutive blocks that are not all zero. */
function* runsOf(chunk: Buffer): Generator<readonly [start: number, end: number]> {
  let begun: number | undefined
  for (let start = 0; start < chunk.length; start += BLOCK) {
    const block = chunk.subarray(start, start + BLOCK)
    const isZero = block.equals(ZERO.subarray(0, block.length))
    if (!isZero) begun ??= start
    else if (begun !== undefined) {
      yield [begun, start]
      begun = undefined
    }
  }
  if (begun !== undefined) yield [begun, chunk.length]
}
