/** Parameters and results of FatFs. */

/** Parameters of `f_mkfs` for a new volume. */
export interface FormatParameters {
  /** Bits: 1 is FAT12 or FAT16, 2 is FAT32. */
  readonly families: number
  readonly fats: 1 | 2
  /** Slots of the root directory of FAT12 and FAT16. */
  readonly rootSlots: number
  /** Bytes per cluster; 0 for the choice of FatFs. */
  readonly clusterBytes: number
}

/** An entry of a directory. */
export interface RawEntry {
  readonly name: string
  /** 8.3 name of an entry with a long name; else empty. */
  readonly shortName: string
  readonly size: number
  readonly date: number
  readonly time: number
  /** The attribute byte. */
  readonly attributes: number
}
