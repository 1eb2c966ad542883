/** Completes what FatFs formatted: serial number, label, place on the disk, and how many clusters are taken. */
import { padLabel } from '../names/label.ts'
import type { FormattedVolume } from './formatter.ts'
import { BOOT_FIELDS } from './geometry.ts'

/** Offsets in the boot sector: sectors before the volume. */
const HIDDEN_SECTORS = 28
/** FAT32 has a copy of its first sectors from sector 6 on; sectors 1 and 7 count free clusters. */
const BACKUP = 6
const FREE_COUNT = 488
const LAST_TAKEN = 492

/** What FatFs does not know, or takes from the clock. */
export interface Stamp {
  /** The serial number, 32 bits. */
  readonly volumeId: number
  readonly label: string | undefined
  /** Sectors of the disk before the volume. */
  readonly hiddenSectors: number
  readonly usedClusters: number
}

/** Changes the boot sectors of `volume` in place. */
export function stampBootSectors({ geometry, sectors }: FormattedVolume, stamp: Stamp): void {
  const copies = geometry.type === 'fat32' ? [0, BACKUP] : [0]
  const fields = BOOT_FIELDS[geometry.type]
  for (const copy of copies) {
    const boot = sectors.get(copy)
    boot?.writeUInt32LE(stamp.hiddenSectors, HIDDEN_SECTORS)
    boot?.writeUInt32LE(stamp.volumeId, fields.volumeId)
    if (stamp.label !== undefined) boot?.write(padLabel(stamp.label), fields.label, 'latin1')
    if (geometry.type !== 'fat32') continue
    const information = sectors.get(copy + 1)
    information?.writeUInt32LE(geometry.clusters - stamp.usedClusters, FREE_COUNT)
    information?.writeUInt32LE(stamp.usedClusters + 1, LAST_TAKEN)
  }
}
