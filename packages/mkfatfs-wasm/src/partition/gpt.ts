/** A GUID partition table with one partition, and its copy at the end of the disk. Source: UEFI specification, 5.3. */
import { crc32 } from 'node:zlib'
import { SECTOR_BYTES } from '../volume/geometry.ts'

const ENTRIES = 128
const ENTRY_BYTES = 128
const TABLE_SECTORS = (ENTRIES * ENTRY_BYTES) / SECTOR_BYTES
const HEADER_BYTES = 92
const NAME_UNITS = 36

/** Sectors of the copy: the table, then its header in the very last sector. */
export const GPT_COPY_SECTORS: number = TABLE_SECTORS + 1

/** Partition types, in the byte order of the disk: Microsoft basic data, EFI system partition. */
const TYPES = {
  data: Buffer.from('a2a0d0ebe5b9334487c068b6b72699c7', 'hex'),
  efi: Buffer.from('28732ac11ff8d211ba4b00a0c93ec93b', 'hex'),
} as const

/** A disk with one partition. */
export interface GptDisk {
  readonly diskSectors: number
  readonly diskGuid: Buffer
  readonly partitionGuid: Buffer
  readonly partitionType: 'data' | 'efi'
  /** The first and the last sector of the partition. */
  readonly first: number
  readonly last: number
  /** Shown by partitioning tools, up to 36 characters. */
  readonly name: string
}

/** Sectors 1 to 33: header, table. Sector 0 gets a protective master boot record. */
export function gptStart(disk: GptDisk): Buffer {
  const table = gptTable(disk)
  return Buffer.concat([gptHeader(disk, table, { own: 1, other: disk.diskSectors - 1, table: 2 }), table])
}

/** The last 33 sectors: table, header. */
export function gptEnd(disk: GptDisk): Buffer {
  const table = gptTable(disk)
  const own = disk.diskSectors - 1
  return Buffer.concat([table, gptHeader(disk, table, { own, other: 1, table: own - TABLE_SECTORS })])
}

function gptTable(disk: GptDisk): Buffer {
  const table = Buffer.alloc(TABLE_SECTORS * SECTOR_BYTES)
  TYPES[disk.partitionType].copy(table, 0)
  disk.partitionGuid.copy(table, 16)
  table.writeBigUInt64LE(BigInt(disk.first), 32)
  table.writeBigUInt64LE(BigInt(disk.last), 40)
  table.write(disk.name.slice(0, NAME_UNITS), 56, 'utf16le')
  return table
}

interface HeaderPlaces {
  readonly own: number
  readonly other: number
  readonly table: number
}

function gptHeader(disk: GptDisk, table: Buffer, { own, other, table: tableAt }: HeaderPlaces): Buffer {
  const header = Buffer.alloc(SECTOR_BYTES)
  header.write('EFI PART', 0, 'latin1')
  header.writeUInt32LE(0x10000, 8)
  header.writeUInt32LE(HEADER_BYTES, 12)
  header.writeBigUInt64LE(BigInt(own), 24)
  header.writeBigUInt64LE(BigInt(other), 32)
  header.writeBigUInt64LE(BigInt(2 + TABLE_SECTORS), 40)
  header.writeBigUInt64LE(BigInt(disk.diskSectors - GPT_COPY_SECTORS - 1), 48)
  disk.diskGuid.copy(header, 56)
  header.writeBigUInt64LE(BigInt(tableAt), 72)
  header.writeUInt32LE(ENTRIES, 80)
  header.writeUInt32LE(ENTRY_BYTES, 84)
  header.writeUInt32LE(crc32(table), 88)
  header.writeUInt32LE(crc32(header.subarray(0, HEADER_BYTES)), 16)
  return header
}
