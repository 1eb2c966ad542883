/** Finds the FAT volume in an image: it is the image, or the first partition that has one. */
import { MkfatfsError } from '../errors.ts'
import type { Partitioning } from '../options.ts'
import { type Geometry, parseBootSector, SECTOR_BYTES } from '../volume/geometry.ts'
import type { ImageReader } from './image-reader.ts'

/** A volume in an image. */
export interface LocatedVolume {
  readonly partition: Partitioning
  /** In bytes from the start of the image. */
  readonly offset: number
  readonly geometry: Geometry
}

const MBR_ENTRIES = [446, 462, 478, 494]
const PROTECTIVE = 0xee
const MAX_GPT_ENTRIES = 1024
/** Bytes of a disk's logical block, the unit of partition tables. No table states it: each is tried, the usual first. */
const BLOCK_SIZES = [512, 4096, 2048, 1024]

/**
 * @param number partition to take, from 1; else the first with FAT
 * @throws MkfatfsError `NOT_A_FAT_IMAGE`
 */
export function locateVolume(image: ImageReader, number: number | undefined): LocatedVolume {
  const first = image.read(0, SECTOR_BYTES)
  const bare = number === undefined ? parseBootSector(first) : undefined
  if (bare !== undefined) return { partition: 'none', offset: 0, geometry: bare }

  const isGpt = MBR_ENTRIES.some((entry) => first[entry + 4] === PROTECTIVE)
  for (const blockBytes of BLOCK_SIZES) {
    const starts = isGpt ? gptStarts(image, blockBytes) : mbrStarts(first)
    const wanted = number === undefined ? starts : starts.slice(number - 1, number)
    for (const start of wanted) {
      const offset = start * blockBytes
      const geometry = start > 0 && offset < image.size ? parseBootSector(image.read(offset, SECTOR_BYTES)) : undefined
      if (geometry !== undefined) return { partition: isGpt ? 'gpt' : 'mbr', offset, geometry }
    }
  }
  const where = number === undefined ? 'in its partitions' : `in partition ${number}`
  throw new MkfatfsError('NOT_A_FAT_IMAGE', `No FAT volume at the start of "${image.path}" nor ${where}.`)
}

/** First sectors by partition number; 0 where there is none. Logical partitions in an extended one are not looked at. */
function mbrStarts(sector: Buffer): number[] {
  if (sector.readUInt16LE(510) !== 0xaa55) return []
  return MBR_ENTRIES.map((entry) => (sector[entry + 4] === 0 ? 0 : sector.readUInt32LE(entry + 8)))
}

function gptStarts(image: ImageReader, blockBytes: number): number[] {
  const header = image.read(blockBytes, SECTOR_BYTES)
  if (header.toString('latin1', 0, 8) !== 'EFI PART') return []
  const table = Number(header.readBigUInt64LE(72)) * blockBytes
  const count = Math.min(header.readUInt32LE(80), MAX_GPT_ENTRIES)
  const bytes = Math.min(header.readUInt32LE(84), 4096)
  return Array.from({ length: count }, (_, index) => {
    const entry = image.read(table + index * bytes, 40)
    const isUsed = entry.subarray(0, 16).some((byte) => byte !== 0)
    return isUsed ? Number(entry.readBigUInt64LE(32)) : 0
  })
}
