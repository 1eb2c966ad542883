/**
 * Writes the "newc" cpio format, which the kernel unpacks an initramfs from
 * (Documentation/driver-api/early-userspace/buffer-format.rst). Everything that would differ between two runs is fixed:
 * inode numbers count up, owners are root, times are zero, so the same entries give the same bytes.
 */

/** One entry of an archive. Paths are relative, without a leading slash; modes are permission bits only. */
export type CpioEntry =
  | { readonly type: 'directory'; readonly path: string; readonly mode: number }
  | { readonly type: 'file'; readonly path: string; readonly mode: number; readonly data: Uint8Array }
  | { readonly type: 'symlink'; readonly path: string; readonly target: string }
  | {
      readonly type: 'character' | 'block'
      readonly path: string
      readonly mode: number
      readonly major: number
      readonly minor: number
    }

const FILE_TYPE_BITS = { directory: 0o040000, file: 0o100000, symlink: 0o120000, character: 0o020000, block: 0o060000 }
const NOTHING = new Uint8Array(0)
const ALIGNMENT = 4
const MAX_FIELD = 0xffff_ffff

/**
 * The archive as one buffer, its trailer included. Parents must come before what is in them: the kernel makes none.
 * @throws RangeError for a file of 4 GiB or more, which the format has no room for
 */
export function writeCpio(entries: Iterable<CpioEntry>): Uint8Array {
  const chunks: Uint8Array[] = []
  let inode = 1
  for (const entry of entries) appendEntry(chunks, entry, inode++)
  appendRecord(chunks, { name: 'TRAILER!!!', inode: 0, mode: 0, links: 1, major: 0, minor: 0, data: NOTHING })
  return Buffer.concat(chunks)
}

function appendEntry(chunks: Uint8Array[], entry: CpioEntry, inode: number): void {
  const mode = FILE_TYPE_BITS[entry.type] | (entry.type === 'symlink' ? 0o777 : entry.mode)
  const data = entry.type === 'file' ? entry.data : entry.type === 'symlink' ? Buffer.from(entry.target) : NOTHING
  if (data.length > MAX_FIELD)
    throw new RangeError(`${entry.path} has ${data.length} bytes; a cpio file has under 4 GiB`)
  const { major, minor } = 'major' in entry ? entry : { major: 0, minor: 0 }
  appendRecord(chunks, { name: entry.path, inode, mode, links: entry.type === 'directory' ? 2 : 1, major, minor, data })
}

interface CpioRecord {
  readonly name: string
  readonly inode: number
  readonly mode: number
  readonly links: number
  readonly major: number
  readonly minor: number
  readonly data: Uint8Array
}

function appendRecord(chunks: Uint8Array[], record: CpioRecord): void {
  const name = Buffer.from(`${record.name}\0`)
  const fields = [
    record.inode,
    record.mode,
    0, // uid
    0, // gid
    record.links,
    0, // mtime
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
