/**
 * Writes the "newc" cpio format of an initramfs (Documentation/driver-api/early-userspace/buffer-format.rst). The same entries
 * produce the same bytes: inode numbers count up, and by default owners are root and times are zero.
 */

interface CpioOwner {
  /** @default 0 */
  readonly uid?: number
  /** @default 0 */
  readonly gid?: number
  /** Seconds since 1970. @default 0 */
  readonly mtime?: number
  /** Entries with the same object are hard links to one file. The first one has the data. @default none */
  readonly inode?: object
}

/** One entry of an archive. Paths are relative, without a leading slash; modes are permission bits only. */
export type CpioEntry = CpioOwner &
  (
    | { readonly type: 'directory'; readonly path: string; readonly mode: number }
    | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly data: Uint8Array }
    | { readonly type: 'symlink'; readonly path: string; readonly target: string }
    | {
        readonly type: 'character' | 'block' | 'fifo'
        readonly path: string
        readonly mode: number
        readonly major: number
        readonly minor: number
      }
  )

/** Linux's file type bits in the mode of an entry. */
export const FILE_TYPE_BITS = {
  directory: 0o040000,
  file: 0o100000,
  symlink: 0o120000,
  character: 0o020000,
  block: 0o060000,
  fifo: 0o010000,
} as const
const NOTHING = new Uint8Array(0)
const ALIGNMENT = 4
const MAX_FIELD = 0xffff_ffff

/**
 * Returns the archive, with its trailer. A directory must come before its entries, because the kernel creates no parents.
 * @throws RangeError for a file of 4 GiB or more, whose size does not fit into the format
 */
export function writeCpio(entries: Iterable<CpioEntry>): Uint8Array {
  const chunks: Uint8Array[] = []
  const all = [...entries]
  const names = new Map<object, number>()
  for (const { inode } of all) if (inode !== undefined) names.set(inode, (names.get(inode) ?? 0) + 1)
  const inodes = new Map<object, number>()
  for (const [at, entry] of all.entries()) {
    const known = entry.inode && inodes.get(entry.inode)
    if (entry.inode !== undefined && known === undefined) inodes.set(entry.inode, at + 1)
    appendEntry(chunks, entry, known ?? at + 1, (entry.inode && names.get(entry.inode)) ?? 1)
  }
  const owner = { uid: 0, gid: 0, mtime: 0 }
  appendRecord(chunks, { name: 'TRAILER!!!', inode: 0, mode: 0, links: 1, major: 0, minor: 0, data: NOTHING, ...owner })
  return Buffer.concat(chunks)
}

function appendEntry(chunks: Uint8Array[], entry: CpioEntry, inode: number, names: number): void {
  const mode = FILE_TYPE_BITS[entry.type] | (entry.type === 'symlink' ? 0o777 : entry.mode)
  const data = entry.type === 'file' ? entry.data : entry.type === 'symlink' ? Buffer.from(entry.target) : NOTHING
  if (data.length > MAX_FIELD)
    throw new RangeError(`${entry.path} has ${data.length} bytes; a cpio file has under 4 GiB`)
  const { major, minor } = 'major' in entry ? entry : { major: 0, minor: 0 }
  const links = entry.type === 'directory' ? 2 : names
  const { uid = 0, gid = 0, mtime = 0 } = entry
  appendRecord(chunks, { name: entry.path, inode, mode, links, major, minor, data, uid, gid, mtime })
}

interface CpioRecord {
  readonly name: string
  readonly inode: number
  readonly mode: number
  readonly links: number
  readonly major: number
  readonly minor: number
  readonly data: Uint8Array
  readonly uid: number
  readonly gid: number
  readonly mtime: number
}

function appendRecord(chunks: Uint8Array[], record: CpioRecord): void {
  const name = Buffer.from(`${record.name}\0`)
  const fields = [
    record.inode,
    record.mode,
    record.uid,
    record.gid,
    record.links,
    record.mtime,
    record.data.length,
    0, // device of the file system, major and minor
    0,
    record.major,
    record.minor,
    name.length,
    0, // checksum, unused in this variant
  ]
  const header = Buffer.concat([Buffer.from(`070701${fields.map(hex8).join('')}`), name])
  chunks.push(header, padding(header.length), record.data, padding(record.data.length))
}

function hex8(value: number): string {
  return value.toString(16).toUpperCase().padStart(8, '0')
}

function padding(length: number): Uint8Array {
  return new Uint8Array((ALIGNMENT - (length % ALIGNMENT)) % ALIGNMENT)
}
