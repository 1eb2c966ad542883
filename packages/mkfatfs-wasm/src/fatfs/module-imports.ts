/** Imports of FatFs' WebAssembly: functions for the disk, the clock and memory growth. */
import { viewOf } from '../byte-view.ts'

/** A disk of whole sectors. Sector 0 is the start of the volume. */
export interface BlockDevice {
  readonly sectorBytes: number
  readonly sectors: number
  /** Alignment of a new volume's data area, in sectors; a power of two. */
  readonly alignment: number
  /** Fills `target`, whose length is a multiple of a sector. Returns false for sectors beyond the end of the device. */
  read(target: Uint8Array, sector: number): boolean
  /** Undefined for a write-protected device. Returns false for sectors beyond the end of the device. */
  readonly write?: (source: Uint8Array, sector: number) => boolean
}

const DISK_OK = 0
const DISK_ERROR = 1
const DISK_PROTECTED = 2
const DISK_BAD_PARAMETER = 4
const STATUS_PROTECTED = 4
const SYNC = 0
const SECTOR_COUNT = 1
const SECTOR_SIZE = 2
const BLOCK_SIZE = 3

/** Owner of the memory that the functions access. */
export interface ModuleHost {
  readonly device: BlockDevice
  readonly memory: Uint8Array
  /** Adds pages to the memory. */
  grow(bytes: number): boolean
}

/** The functions, under the short names of the module's compiler. */
export class ModuleImports {
  host!: ModuleHost
  readonly functions: Readonly<Record<string, (...args: number[]) => number>>

  constructor(clock: () => number) {
    const sectors = (address: number, count: number) =>
      this.host.memory.subarray(address, address + count * this.host.device.sectorBytes)
    const status = () => (this.host.device.write === undefined ? STATUS_PROTECTED : DISK_OK)
    this.functions = {
      // Sector numbers are unsigned 32-bit integers.
      a: (_drive = 0, address = 0, sector = 0, count = 0) => {
        const { device } = this.host
        if (device.write === undefined) return DISK_PROTECTED
        return device.write(sectors(address, count), sector >>> 0) ? DISK_OK : DISK_ERROR
      },
      b: (_drive = 0, command = 0, address = 0) => {
        const { sectors, sectorBytes, alignment } = this.host.device
        const view = viewOf(this.host.memory)
        if (command === SECTOR_COUNT) view.setUint32(address, sectors, true)
        else if (command === SECTOR_SIZE) view.setUint16(address, sectorBytes, true)
        else if (command === BLOCK_SIZE) view.setUint32(address, alignment, true)
        else if (command !== SYNC) return DISK_BAD_PARAMETER
        return DISK_OK
      },
      c: (_drive = 0, address = 0, sector = 0, count = 0) =>
        this.host.device.read(sectors(address, count), sector >>> 0) ? DISK_OK : DISK_ERROR,
      d: status,
      e: status,
      f: (low = 0, high = 0, address = 0) => {
        storeTime(viewOf(this.host.memory.subarray(address)), new Date((high * 2 ** 32 + (low >>> 0)) * 1000))
        return 0
      },
      g: (bytes = 0) => (this.host.grow(bytes >>> 0) ? 1 : 0),
      h: () => 0,
      i: clock,
    }
  }
}

/** Fills a `struct tm`. */
function storeTime(target: DataView, when: Date): void {
  const fields = [
    when.getUTCSeconds(),
    when.getUTCMinutes(),
    when.getUTCHours(),
    when.getUTCDate(),
    when.getUTCMonth(),
    when.getUTCFullYear() - 1900,
    when.getUTCDay(),
  ]
  for (const [index, value] of fields.entries()) target.setInt32(index * 4, value, true)
}
