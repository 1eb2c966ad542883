/**
 * Detects the format of a disk image from its header. QEMU's own detection is not used, because a guest could write a
 * header of another format to a raw disk, and the header could refer to any file of the host.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { OptionError } from '../../errors.ts'
import { type ReadAt, readVhdxSize } from './vhdx-size.ts'

/** Supported formats of disk images. */
export const DISK_FORMATS: readonly ['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx'] = ['raw', 'qcow2', 'vmdk', 'vdi', 'vhdx']

/** Format of a disk image, by QEMU's name. */
export type DiskFormat = (typeof DISK_FORMATS)[number]

/** Format and size of a disk image. */
export interface DiskImage {
  readonly format: DiskFormat
  /** Size of the disk for the guest, bytes; a multiple of 512. */
  readonly virtualSize: number
}

const SECTOR = 512
const HEADER_LENGTH = 4096

/**
 * @param path absolute path of a readable file
 * @param asked format set by the user; undefined to use the format of the header, or raw if it is unknown
 * @throws OptionError `INVALID_OPTION` when the file has another format than `asked` or an unsupported format, or when
 * it refers to other files and `asked` is undefined
 */
export function inspectDiskImage(path: string, asked?: DiskFormat): DiskImage {
  const descriptor = openSync(path, 'r')
  try {
    const stats = fstatSync(descriptor)
    if (!stats.isFile()) throw refusal(path, 'is not a regular file', 'Pass the path of an image file.')
    const readAt: ReadAt = (offset, length) => {
      const buffer = Buffer.alloc(length)
      return buffer.subarray(0, readSync(descriptor, buffer, 0, length, offset))
    }
    return inspect(path, readAt, stats.size, asked)
  } finally {
    closeSync(descriptor)
  }
}

function inspect(path: string, readAt: ReadAt, fileSize: number, asked: DiskFormat | undefined): DiskImage {
  const raw: DiskImage = { format: 'raw', virtualSize: Math.ceil(fileSize / SECTOR) * SECTOR }
  if (asked === 'raw') return raw
  const header = Buffer.alloc(HEADER_LENGTH)
  readAt(0, HEADER_LENGTH).copy(header)
  const found = FORMATS.find((row) => row.matches(header))
  if (asked !== undefined && found?.format !== asked) {
    throw refusal(
      path,
      `is not a ${asked} image: its header is ${found ? `that of ${found.format}` : 'of no known format'}`,
    )
  }
  if (!found) {
    const trailer = fileSize >= SECTOR ? readAt(fileSize - SECTOR, SECTOR) : Buffer.alloc(0)
    const unsupported = UNSUPPORTED.find((row) => row.matches(header) || row.matches(trailer))
    if (unsupported) throw refusal(path, `is ${unsupported.what}`, unsupported.hint)
    return raw
  }
  const problem = asked === undefined ? found.readsOtherFiles?.(header, readAt) : undefined
  if (problem !== undefined) {
    const hint = `If this is intended, set \`format: '${found.format}'\`.`
    throw refusal(path, `is a ${found.format} image that ${problem}`, hint)
  }
  const size = found.virtualSize(header, readAt)
  if (size === undefined) throw refusal(path, `is a ${found.format} image whose size cannot be read`, CONVERT)
  return { format: found.format, virtualSize: size }
}

interface FormatRow {
  readonly format: Exclude<DiskFormat, 'raw'>
  matches(header: Buffer): boolean
  /** Size of the disk, bytes; undefined if the header has no valid size. */
  virtualSize(header: Buffer, readAt: ReadAt): number | undefined
  /** Reason, as a verb phrase, if QEMU would open other files for the image; otherwise undefined. */
  readsOtherFiles?(header: Buffer, readAt: ReadAt): string | undefined
}

const startsWith =
  (magic: string) =>
  (header: Buffer): boolean =>
    header.toString('latin1', 0, magic.length) === magic

// Offsets: docs/interop/qcow2.txt in QEMU; block/vdi.c and block/vmdk.c there; VHDX in [MS-VHDX].
const FORMATS: readonly FormatRow[] = [
  {
    format: 'qcow2',
    matches: (header) => startsWith('QFI\xfb')(header) && header.readUInt32BE(4) >= 2,
    virtualSize: (header) => sizeFrom(header.readBigUInt64BE(24)),
    readsOtherFiles(header) {
      if (header.readBigUInt64BE(8) !== 0n) {
        const start = Number(header.readBigUInt64BE(8))
        const name = header.toString('utf8', start, start + header.readUInt32BE(16))
        return `reads another file, ${JSON.stringify(name)}`
      }
      const hasDataFile = header.readUInt32BE(4) >= 3 && (header.readBigUInt64BE(72) & 4n) !== 0n
      return hasDataFile ? 'keeps its data in another file' : undefined
    },
  },
  {
    format: 'vmdk',
    matches: startsWith('KDMV'),
    // A capacity of 0 means that the size is in the embedded descriptor, which refers to other files.
    virtualSize: (header) => sizeFrom(header.readBigUInt64LE(12) * BigInt(SECTOR)),
    // Searched like QEMU does: anywhere in the 20 sectors of the descriptor, with any text around it.
    readsOtherFiles: (_header, readAt) =>
      readAt(SECTOR, 20 * SECTOR).includes('parentFileNameHint') ? 'reads a parent image' : undefined,
  },
  {
    format: 'vdi',
    matches: (header) => header.readUInt32LE(0x40) === 0xbeda_107f,
    virtualSize: (header) => sizeFrom(header.readBigUInt64LE(0x170)),
  },
  { format: 'vhdx', matches: startsWith('vhdxfile'), virtualSize: (_header, readAt) => readVhdxSize(readAt) },
]

const CONVERT = 'Convert it: `qemu-img convert -O qcow2 <image> <new image>`.'
const UNPACK = 'Unpack it first.'
const UNSUPPORTED: readonly { readonly what: string; readonly hint: string; matches(block: Buffer): boolean }[] = [
  // Formats that must not be used as raw images. A fixed VHD has its signature only in the last sector.
  { what: 'a VHD (vpc) image', hint: CONVERT, matches: startsWith('conectix') },
  {
    what: 'a VMDK descriptor, which refers to other files',
    hint: CONVERT,
    matches: startsWith('# Disk DescriptorFile'),
  },
  { what: 'a VMDK image of ESX', hint: CONVERT, matches: startsWith('COWD') },
  { what: 'an image of the old qcow format', hint: CONVERT, matches: startsWith('QFI\xfb') },
  { what: 'a QED image', hint: CONVERT, matches: startsWith('QED\0') },
  { what: 'a Parallels image', hint: CONVERT, matches: startsWith('WithoutFreeSpace') },
  { what: 'a Parallels image', hint: CONVERT, matches: startsWith('WithouFreSpacExt') },
  { what: 'an Apple disk image', hint: CONVERT, matches: startsWith('koly') },
  { what: 'compressed with gzip', hint: UNPACK, matches: startsWith('\x1f\x8b\x08') },
  { what: 'compressed with xz', hint: UNPACK, matches: startsWith('\xfd7zXZ\0') },
  { what: 'compressed with zstd', hint: UNPACK, matches: startsWith('\x28\xb5\x2f\xfd') },
  { what: 'compressed with bzip2', hint: UNPACK, matches: startsWith('BZh') },
]

function sizeFrom(bytes: bigint): number | undefined {
  const size = Math.ceil(Number(bytes) / SECTOR) * SECTOR
  return size > 0 && Number.isSafeInteger(size) ? size : undefined
}

function refusal(path: string, problem: string, hint?: string): OptionError {
  return new OptionError('INVALID_OPTION', `blockDevice: ${path} ${problem}`, hint === undefined ? {} : { hint })
}
