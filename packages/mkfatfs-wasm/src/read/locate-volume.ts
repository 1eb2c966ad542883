/** Finds the FAT volume in an image: the whole image, a partition, or the volume in a wear-levelling layer. */
import { readLatin1, viewOf } from '../byte-view.ts'
import { MkfatfsError } from '../errors.ts'
import { FLASH_SECTOR_BYTES, findWearLevelling } from '../flash/wear-levelling.ts'
import type { PartitionTable } from '../options.ts'
import { BOOT_SECTOR_BYTES, type Geometry, parseBootSector } from '../volume/geometry.ts'
import { ImageReader } from './image-reader.ts'

/** A volume in an image. */
export interface LocatedVolume {
  readonly partitionTable: PartitionTable
  readonly isWearLevelled: boolean
  /** Reader of the image, or of the space in a wear-levelling layer. */
  readonly reader: ImageReader
  /** Start of the volume in `reader`, in bytes. */
  readonly start: number
  /** Start of the volume in the image, in bytes. */
  readonly offset: number
  readonly geometry: Geometry
}

const MBR_ENTRIES = [446, 462, 478, 494]
const SIGNATURE = 0xaa55
const PROTECTIVE = 0xee
const MAX_GPT_ENTRIES = 1024
/** Possible sizes of a logical block, bytes. All are tried, the usual one first, because partition tables do not contain the size. */
const BLOCK_SIZES = [512, 4096, 2048, 1024]

/**
 * @param number number of the partition, from 1; undefined for the first partition with a FAT volume
 * @throws MkfatfsError `NOT_A_FAT_IMAGE`
 */
export function locateVolume(reader: ImageReader, number: number | undefined): LocatedVolume {
  if (number === undefined) {
    const bare = locateWearLevelled(reader) ?? locateBare(reader)
    if (bare !== undefined) return bare
  }
  const first = reader.read(0, BOOT_SECTOR_BYTES)
  const types = MBR_ENTRIES.map((entry) => first[entry + 4])
  const isGpt = types.includes(PROTECTIVE)
  for (const blockBytes of BLOCK_SIZES) {
    const starts = isGpt ? gptStarts(reader, blockBytes) : mbrStarts(first)
    const wanted = number === undefined ? starts : starts.slice(number - 1, number)
    for (const block of wanted) {
      const start = block * blockBytes
      const geometry =
        start > 0 && start < reader.size ? parseBootSector(reader.read(start, BOOT_SECTOR_BYTES)) : undefined
      if (geometry === undefined) continue
      const isHybrid = types.some((type) => type !== PROTECTIVE && type !== 0)
      const partitionTable = isGpt ? (isHybrid ? 'hybrid' : 'gpt') : 'mbr'
      return { partitionTable, isWearLevelled: false, reader, start, offset: start, geometry }
    }
  }
  const where = number === undefined ? 'in its partitions' : `in partition ${number}`
  throw new MkfatfsError('NOT_A_FAT_IMAGE', `No FAT volume at the start of "${reader.name}" nor ${where}.`)
}

function locateBare(reader: ImageReader): LocatedVolume | undefined {
  const geometry = parseBootSector(reader.read(0, BOOT_SECTOR_BYTES))
  return geometry && { partitionTable: 'none', isWearLevelled: false, reader, start: 0, offset: 0, geometry }
}

/** Called before the check for a bare volume, because the first sector of a wear-levelling image can be a boot sector. */
function locateWearLevelled(reader: ImageReader): LocatedVolume | undefined {
  const layer = findWearLevelling(reader.size, (position, length) => reader.read(position, length))
  if (layer === undefined) return undefined
  const { write } = reader
  /** Calls `access` for each part that is in one flash sector. */
  const each = (bytes: Uint8Array, position: number, access: (piece: Uint8Array, at: number) => boolean) => {
    for (let done = 0; done < bytes.length; ) {
      const length = FLASH_SECTOR_BYTES - ((position + done) % FLASH_SECTOR_BYTES)
      if (!access(bytes.subarray(done, done + length), layer.position(position + done))) return done
      done = Math.min(bytes.length, done + length)
    }
    return bytes.length
  }
  const inner = new ImageReader({
    name: reader.name,
    size: layer.size,
    read: (target, position) => {
      const piece = target.subarray(0, Math.max(0, layer.size - position))
      return each(piece, position, (bytes, at) => reader.readInto(bytes, at))
    },
    ...(write && {
      write: (source, position) =>
        void each(source, position, (bytes, at) => {
          write(bytes, at)
          return true
        }),
    }),
    close: () => reader.close(),
  })
  const geometry = parseBootSector(inner.read(0, BOOT_SECTOR_BYTES))
  if (geometry === undefined) return undefined
  return { partitionTable: 'none', isWearLevelled: true, reader: inner, start: 0, offset: layer.position(0), geometry }
}

/** Returns the first block of each partition; 0 for a free entry. Ignores logical partitions. */
function mbrStarts(sector: Uint8Array): number[] {
  const view = viewOf(sector)
  if (view.getUint16(510, true) !== SIGNATURE) return []
  return MBR_ENTRIES.map((entry) => (sector[entry + 4] === 0 ? 0 : view.getUint32(entry + 8, true)))
}

function gptStarts(reader: ImageReader, blockBytes: number): number[] {
  const header = reader.read(blockBytes, BOOT_SECTOR_BYTES)
  if (readLatin1(header, 0, 8) !== 'EFI PART') return []
  const view = viewOf(header)
  const table = Number(view.getBigUint64(72, true)) * blockBytes
  const count = Math.min(view.getUint32(80, true), MAX_GPT_ENTRIES)
  const bytes = Math.min(view.getUint32(84, true), 4096)
  return Array.from({ length: count }, (_, index) => {
    const entry = reader.read(table + index * bytes, 40)
    const isUsed = entry.subarray(0, 16).some((byte) => byte !== 0)
    return isUsed ? Number(viewOf(entry).getBigUint64(32, true)) : 0
  })
}
