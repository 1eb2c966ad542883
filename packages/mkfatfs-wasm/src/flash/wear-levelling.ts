/**
 * The wear-levelling layer of ESP-IDF around a FAT volume in flash memory. Source: `wl_fatfsgen.py` and the component
 * `wear_levelling` of ESP-IDF, version 2 of its layout.
 *
 * A partition of n flash sectors of 4096 bytes contains, in this order: the sectors of the volume with one unused sector
 * among them (the dummy), two copies of the state, and one sector with the configuration. The dummy moves: after 16 erases, the
 * sector after it is copied to it and becomes the new dummy, and a record of 16 bytes is added to each state. After the last
 * position, `moveCount` in the state is incremented and the records are erased.
 */
import { viewOf } from '../byte-view.ts'
import { crc32 } from '../partition/crc32.ts'
import type { Chunk } from '../write/write-image.ts'

/** Bytes of a sector of flash memory, the unit of wear levelling. */
export const FLASH_SECTOR_BYTES = 4096

const STATE_BYTES = 64
const STATE_CRC = 60
const RECORD_BYTES = 16
const CONFIG_BYTES = 48
const CONFIG_CRC = 32
const VERSION = 2
/** Number of erases after which the dummy moves. */
const UPDATE_RATE = 16
const TEMPORARY_BUFFER_BYTES = 32
const CRC_START = 0xffffffff
/** Flash sectors of the dummy and the configuration. */
const FIXED_SECTORS = 2
/** Flash sectors that `CONFIG_WL_SECTOR_MODE_SAFE` reserves after the volume. */
const SAFE_SECTORS = 2

/** Bytes that the layer takes in an image of `size` bytes. */
export function wearLevellingBytes(size: number, mode: true | 'safe'): number {
  const states = 2 * stateSectors(size / FLASH_SECTOR_BYTES)
  return (FIXED_SECTORS + states + (mode === 'safe' ? SAFE_SECTORS : 0)) * FLASH_SECTOR_BYTES
}

/** Size of the smallest image for a volume of `volumeBytes` bytes. */
export function wearLevelledSize(volumeBytes: number, mode: true | 'safe'): number {
  let size = Math.ceil(volumeBytes / FLASH_SECTOR_BYTES) * FLASH_SECTOR_BYTES
  while (size - wearLevellingBytes(size, mode) < volumeBytes) size += FLASH_SECTOR_BYTES
  return size
}

/** Returns the sectors around the volume. @param deviceId a random number that each record of a state contains */
export function wearLevellingChunks(size: number, deviceId: number): Chunk[] {
  const sectors = size / FLASH_SECTOR_BYTES
  const states = stateSectors(sectors)
  const state = erased(states)
  const view = viewOf(state)
  state.fill(0, 0, STATE_BYTES)
  // pos, max_pos, move_count, access_count, max_count, block_size, version, device_id; then 28 zeros and the checksum.
  const fields = [0, sectors - 2 * states - 1, 0, 0, UPDATE_RATE, FLASH_SECTOR_BYTES, VERSION, deviceId]
  for (const [index, value] of fields.entries()) view.setUint32(index * 4, value, true)
  view.setUint32(STATE_CRC, crc32(state.subarray(0, STATE_CRC), CRC_START), true)

  const config = erased(1)
  const configView = viewOf(config)
  config.fill(0, 0, CONFIG_BYTES)
  // start_addr, full_mem_size, page_size, sector_size, updaterate, wr_size, version, temp_buff_size.
  const settings = [
    0,
    size,
    FLASH_SECTOR_BYTES,
    FLASH_SECTOR_BYTES,
    UPDATE_RATE,
    RECORD_BYTES,
    VERSION,
    TEMPORARY_BUFFER_BYTES,
  ]
  for (const [index, value] of settings.entries()) configView.setUint32(index * 4, value, true)
  configView.setUint32(CONFIG_CRC, crc32(config.subarray(0, CONFIG_CRC), CRC_START), true)
  const first = sectors - 2 * states - 1
  return [
    { offset: 0, bytes: erased(1) },
    { offset: first * FLASH_SECTOR_BYTES, bytes: state },
    { offset: (first + states) * FLASH_SECTOR_BYTES, bytes: state },
    { offset: (sectors - 1) * FLASH_SECTOR_BYTES, bytes: config },
  ]
}

/** Position of the volume's sectors in an image after moves of the dummy. */
export interface WearLevelling {
  /** Bytes available to a volume. */
  readonly size: number
  /** Maps an offset in the volume to the position in the image. */
  position(offset: number): number
}

/**
 * Finds the layer. Returns undefined if the image has none.
 * @param read returns bytes of the image
 */
export function findWearLevelling(
  imageBytes: number,
  read: (position: number, length: number) => Uint8Array,
): WearLevelling | undefined {
  const sectors = imageBytes / FLASH_SECTOR_BYTES
  const states = stateSectors(sectors)
  const positions = sectors - 2 * states - 1
  if (!Number.isInteger(sectors) || positions < 2) return undefined
  for (const copy of [0, 1]) {
    const start = (positions + copy * states) * FLASH_SECTOR_BYTES
    const state = read(start, states * FLASH_SECTOR_BYTES)
    const view = viewOf(state)
    if (view.getUint32(STATE_CRC, true) !== crc32(state.subarray(0, STATE_CRC), CRC_START)) continue
    if (view.getUint32(4, true) !== positions || view.getUint32(20, true) !== FLASH_SECTOR_BYTES) continue
    const size = (positions - 1) * FLASH_SECTOR_BYTES
    const moved = (view.getUint32(8, true) * FLASH_SECTOR_BYTES) % size
    const dummy = countRecords(state, view.getUint32(28, true), positions) * FLASH_SECTOR_BYTES
    return {
      size,
      position(offset) {
        const turned = (size - moved + offset) % size
        return turned < dummy ? turned : turned + FLASH_SECTOR_BYTES
      },
    }
  }
  return undefined
}

/** Returns the position of the dummy: the number of records, limited to the last position. */
function countRecords(state: Uint8Array, deviceId: number, positions: number): number {
  const view = viewOf(state)
  const word = new Uint8Array(4)
  const isSet = (record: number) =>
    [0, 1, 2, 3].every((index) => {
      viewOf(word).setUint32(0, (deviceId + record * 4 + index) >>> 0, true)
      return view.getUint32(STATE_BYTES + record * RECORD_BYTES + index * 4, true) === crc32(word, CRC_START)
    })
  let count = 0
  while (count < positions - 1 && isSet(count)) count++
  return count
}

function stateSectors(sectors: number): number {
  return Math.ceil((STATE_BYTES + RECORD_BYTES * sectors) / FLASH_SECTOR_BYTES)
}

function erased(sectors: number): Uint8Array {
  return new Uint8Array(sectors * FLASH_SECTOR_BYTES).fill(0xff)
}
