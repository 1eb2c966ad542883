/** Reads newc archives for tests of the writer. */

export interface ReadEntry {
  readonly path: string
  readonly inode: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtime: number
  readonly major: number
  readonly minor: number
  readonly data: Uint8Array
}

/** Returns all entries except the trailer. */
export function readCpio(archive: Uint8Array): ReadEntry[] {
  const bytes = Buffer.from(archive)
  const aligned = (position: number): number => Math.ceil(position / 4) * 4
  const entries: ReadEntry[] = []
  for (let position = 0; position < bytes.length; ) {
    if (bytes.toString('latin1', position, position + 6) !== '070701') throw new Error(`no header at ${position}`)
    const field = (index: number): number =>
      Number.parseInt(bytes.toString('latin1', position + 6 + index * 8, position + 14 + index * 8), 16)
    const [nameLength, dataLength] = [field(11), field(6)]
    const path = bytes.toString('utf8', position + 110, position + 110 + nameLength - 1)
    const start = aligned(position + 110 + nameLength)
    if (path === 'TRAILER!!!') break
    const [inode, mode, uid, gid, mtime, major, minor] = [0, 1, 2, 3, 5, 9, 10].map(field) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    entries.push({ path, inode, mode, uid, gid, mtime, major, minor, data: bytes.subarray(start, start + dataLength) })
    position = aligned(start + dataLength)
  }
  return entries
}
