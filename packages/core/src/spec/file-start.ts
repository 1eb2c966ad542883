/** Reads the first bytes of a file whose path was checked before. */
import { closeSync, openSync, readSync } from 'node:fs'

/** The first bytes of a file: fewer than `length` if it is shorter, none if it cannot be read. */
export function fileStart(path: string, length: number): Buffer {
  try {
    const file = openSync(path, 'r')
    try {
      const bytes = Buffer.alloc(length)
      return bytes.subarray(0, readSync(file, bytes, 0, length, 0))
    } finally {
      closeSync(file)
    }
  } catch {
    return Buffer.alloc(0)
  }
}
