/** Sets fields that FatFs does not set: serial number, label, type, position on the disk, free space, and boot code. */
import { viewOf, writeLatin1 } from '../byte-view.ts'
import { padLabel } from '../names/label.ts'
import type { FormattedVolume } from './formatter.ts'
import { BOOT_FIELDS, BOOT_SECTOR_BYTES } from './geometry.ts'

/** Offset of the number of sectors before the volume. */
const HIDDEN_SECTORS = 28
/** Sector of FAT32's copy of its first sectors. Sectors 1 and 7 contain the number of free clusters. */
const BACKUP = 6
const FREE_COUNT = 488
const LAST_TAKEN = 492
/** Bytes of the jump instruction at the start. */
const JUMP_BYTES = 3
const SIGNATURE = 510
/** Length of the field with the name of the type, bytes. */
const TYPE_NAME_BYTES = 8

/** Values of the fields. */
export interface Stamp {
  /** The serial number, 32 bits. */
  readonly volumeId: number
  readonly label: string | undefined
  /** Sectors of the disk before the volume. */
  readonly hiddenSectors: number
  readonly usedClusters: number
  /** A complete boot sector of 512 bytes, whose jump and code are copied; undefined for none. */
  readonly bootCode: Uint8Array | undefined
}

/** Changes the boot sectors of `volume` in place. */
export function stampBootSectors({ geometry, sectors }: FormattedVolume, stamp: Stamp): void {
  const copies = geometry.type === 'fat32' ? [0, BACKUP] : [0]
  const fields = BOOT_FIELDS[geometry.type]
  for (const copy of copies) {
    const boot = sectors.get(copy)
    if (boot === undefined) continue
    const view = viewOf(boot)
    view.setUint32(HIDDEN_SECTORS, stamp.hiddenSectors, true)
    view.setUint32(fields.volumeId, stamp.volumeId, true)
    // FatFs writes `FAT`. U-Boot only reads volumes that are named FAT12, FAT16 or FAT32.
    writeLatin1(boot, geometry.type.toUpperCase().padEnd(TYPE_NAME_BYTES), fields.typeName)
    if (stamp.label !== undefined) writeLatin1(boot, padLabel(stamp.label), fields.label)
    if (stamp.bootCode !== undefined) {
      boot.set(stamp.bootCode.subarray(0, JUMP_BYTES))
      boot.set(stamp.bootCode.subarray(fields.code, Math.min(SIGNATURE, BOOT_SECTOR_BYTES)), fields.code)
    }
    const information = sectors.get(copy + 1)
    if (geometry.type !== 'fat32' || information === undefined) continue
    viewOf(information).setUint32(FREE_COUNT, geometry.clusters - stamp.usedClusters, true)
    viewOf(information).setUint32(LAST_TAKEN, stamp.usedClusters + 1, true)
  }
}
