/** A GUID partition table, and its copy at the end of the disk. Source: UEFI specification, 5.3. */
import { viewOf, writeLatin1 } from '../byte-view.ts'
import { MkfatfsError } from '../errors.ts'
import type { Guid } from '../volume/identity.ts'
import { crc32 } from './crc32.ts'

const ENTRIES = 128
const ENTRY_BYTES = 128
const HEADER_BYTES = 92

/** Longest partition name, characters. */
export const GPT_NAME_UNITS = 36

/** Partition types by name: Microsoft basic data, EFI system partition. */
const TYPES: Readonly<Record<string, string>> = {
  data: 'ebd0a0a2-b9e5-4433-87c0-68b6b72699c7',
  efi: 'c12a7328-f81f-11d2-ba4b-00a0c93ec93b',
}

/** The form of a GUID as text. */
export const GUID_TEXT: RegExp = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i

/** A partition of a GPT. */
export interface GptPartition {
  readonly guid: Guid
  /** `'data'`, `'efi'` or a GUID as text. */
  readonly type: string
  /** The first and the last block. */
  readonly first: number
  readonly last: number
  /** Shown by partitioning tools, up to 36 characters. */
  readonly name: string
}

/** A disk with partitions. */
export interface GptDisk {
  readonly blocks: number
  readonly blockBytes: number
  readonly guid: Guid
  readonly partitions: readonly GptPartition[]
}

/** Blocks of the copy at the end: the table, then its header in the last block. */
export function gptCopyBlocks(blockBytes: number): number {
  return tableBlocks(blockBytes) + 1
}

/** Returns the blocks from number 1 on: header, table. Block 0 contains a protective master boot record. */
export function gptStart(disk: GptDisk): Uint8Array {
  const table = gptTable(disk)
  return concatenate(gptHeader(disk, table, { own: 1, other: disk.blocks - 1, table: 2 }), table)
}

/** Returns the last blocks: table, header. */
export function gptEnd(disk: GptDisk): Uint8Array {
  const table = gptTable(disk)
  const own = disk.blocks - 1
  const places = { own, other: 1, table: own - tableBlocks(disk.blockBytes) }
  return concatenate(table, gptHeader(disk, table, places))
}

function tableBlocks(blockBytes: number): number {
  return (ENTRIES * ENTRY_BYTES) / blockBytes
}

function gptTable({ partitions }: GptDisk): Uint8Array {
  const table = new Uint8Array(ENTRIES * ENTRY_BYTES)
  const view = viewOf(table)
  for (const [index, { guid, type, first, last, name }] of partitions.entries()) {
    const entry = index * ENTRY_BYTES
    table.set(parseGuid(TYPES[type] ?? type), entry)
    table.set(guid, entry + 16)
    view.setBigUint64(entry + 32, BigInt(first), true)
    view.setBigUint64(entry + 40, BigInt(last), true)
    for (let unit = 0; unit < Math.min(name.length, GPT_NAME_UNITS); unit++) {
      view.setUint16(entry + 56 + unit * 2, name.charCodeAt(unit), true)
    }
  }
  return table
}

/** Parses a GUID. Its first three groups are little-endian numbers. */
function parseGuid(text: string): Guid {
  if (!GUID_TEXT.test(text)) throw new MkfatfsError('INVALID_OPTION', `"${text}" is not a GUID.`)
  const digits = text.replaceAll('-', '')
  const order = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15]
  return Uint8Array.from(order, (index) => Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16))
}

interface HeaderPlaces {
  readonly own: number
  readonly other: number
  readonly table: number
}

function gptHeader(disk: GptDisk, table: Uint8Array, { own, other, table: tableAt }: HeaderPlaces): Uint8Array {
  const header = new Uint8Array(disk.blockBytes)
  const view = viewOf(header)
  writeLatin1(header, 'EFI PART', 0)
  view.setUint32(8, 0x10000, true)
  view.setUint32(12, HEADER_BYTES, true)
  view.setBigUint64(24, BigInt(own), true)
  view.setBigUint64(32, BigInt(other), true)
  view.setBigUint64(40, BigInt(2 + tableBlocks(disk.blockBytes)), true)
  view.setBigUint64(48, BigInt(disk.blocks - gptCopyBlocks(disk.blockBytes) - 1), true)
  header.set(disk.guid, 56)
  view.setBigUint64(72, BigInt(tableAt), true)
  view.setUint32(80, ENTRIES, true)
  view.setUint32(84, ENTRY_BYTES, true)
  view.setUint32(88, crc32(table), true)
  view.setUint32(16, crc32(header.subarray(0, HEADER_BYTES)), true)
  return header
}

function concatenate(first: Uint8Array, second: Uint8Array): Uint8Array {
  const all = new Uint8Array(first.length + second.length)
  all.set(first)
  all.set(second, first.length)
  return all
}
