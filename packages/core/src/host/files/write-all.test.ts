import type { FileHandle } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { writeSparse } from './sparse-file.ts'
import { writeAll } from './write-all.ts'

/** A file on a disk that accepts few bytes per write, and has space for only some. */
class AlmostFull {
  content = Buffer.alloc(0)
  readonly #most: number
  readonly #space: number

  constructor(most: number, space: number) {
    this.#most = most
    this.#space = space
  }

  get handle(): FileHandle {
    return this as unknown as FileHandle
  }

  write(bytes: Uint8Array, offset: number, length: number, position?: number): Promise<{ bytesWritten: number }> {
    const at = position ?? this.content.length
    const bytesWritten = Math.min(length, this.#most, this.#space - at)
    if (bytesWritten <= 0) return Promise.reject(new Error('ENOSPC'))
    const content = Buffer.alloc(Math.max(this.content.length, at + bytesWritten))
    this.content.copy(content)
    content.set(bytes.subarray(offset, offset + bytesWritten), at)
    this.content = content
    return Promise.resolve({ bytesWritten })
  }

  writev(chunks: readonly Uint8Array[], position?: number): Promise<{ bytesWritten: number }> {
    const bytes = Buffer.concat(chunks)
    return this.write(bytes, 0, bytes.length, position)
  }
}

const CHUNKS = [Buffer.from('first'), Buffer.from('second'), Buffer.from('third')]

test('writes the rest after a short write', async () => {
  const file = new AlmostFull(4, 100)
  await writeAll(file.handle, CHUNKS)
  expect(String(file.content)).toBe('firstsecondthird')
})

test('writes at a position', async () => {
  const file = new AlmostFull(4, 100)
  await writeAll(file.handle, CHUNKS, 3)
  expect(String(file.content)).toBe('\0\0\0firstsecondthird')
})

test.each([
  ['chunks', (file: FileHandle) => writeAll(file, CHUNKS)],
  ['a sparse file', (file: FileHandle) => writeSparse(file, Buffer.alloc(10_000, 1), 0)],
])('rejects when the disk has no space for the end of %s', async (_title, write) => {
  await expect(write(new AlmostFull(100, 10).handle)).rejects.toThrow('ENOSPC')
})

test('writes nothing for no chunks', async () => {
  await expect(writeAll(new AlmostFull(4, 0).handle, [])).resolves.toBeUndefined()
})
