/** Options of `mkfatfs()`. */
import type { FatFiles } from './tree/build-tree.ts'
import type { FatType } from './volume/geometry.ts'

/**
 * The partition table around the volumes. `'none'` is a bare volume, as `mkfs.fat` makes it. `'hybrid'` is a GPT whose
 * MBR lists the first three partitions too, for firmware that reads only MBRs.
 */
export type PartitionTable = 'none' | 'mbr' | 'gpt' | 'hybrid'

/** The progress of a run. */
export interface MkfatfsProgress {
  /** Bytes of file contents that are written. */
  readonly bytes: number
  /** Bytes of all file contents. */
  readonly totalBytes: number
}

/** Options of one volume. */
export interface VolumeOptions {
  /** Contents of the volume: a Map or an object of paths and contents, or an iterable of entries. */
  readonly files?: FatFiles
  /**
   * Volume label: up to 11 characters of ASCII, stored in upper case.
   * @default none
   */
  readonly label?: string
  /**
   * FAT12, FAT16 or FAT32; `'auto'` leaves the choice to FatFs, by the size of the volume.
   * @default 'auto'
   */
  readonly type?: FatType | 'auto'
  /**
   * Bytes per cluster, as a number or text like `'4K'`: a power of two, 1 to 128 sectors.
   * @default the choice of FatFs by the size of the volume
   */
  readonly clusterSize?: number | string
  /**
   * Copies of the FAT.
   * @default 2
   */
  readonly fats?: 1 | 2
  /**
   * Entries of the root directory of FAT12 and FAT16, up to 32,768. More when the files need more.
   * @default 512
   */
  readonly rootEntries?: number
  /**
   * A boot sector of 512 bytes: its jump instruction and its code are taken, and the fields between them are not.
   * @default none
   */
  readonly bootCode?: Uint8Array
  /**
   * Kind of the partition: `'data'`; `'efi'`, an EFI system partition; a GUID as text for GPT; or a number from 1 to
   * 255 for MBR.
   * @default 'data'
   */
  readonly partitionType?: 'data' | 'efi' | (string & {}) | number
  /**
   * Name of the partition in a GPT, up to 36 characters.
   * @default the label
   */
  readonly partitionName?: string
  /**
   * Bytes as a number or text like `'64M'`, or `'fit'`, as small as the files allow. It is the size of the whole image,
   * or of the partition for an entry of `partitions`.
   * @default 'fit'; for the last of `partitions`, the rest of an image with a `size`
   */
  readonly size?: number | string
}

/** Options of an image. */
export interface MkfatfsOptions extends VolumeOptions {
  /**
   * The partition table. Partitions begin at multiples of 1 MiB.
   * @default 'none'; 'gpt' with `partitions`
   */
  readonly partitionTable?: PartitionTable
  /** Several volumes, in the order of their partitions. Their options replace those of the single volume. */
  readonly partitions?: readonly VolumeOptions[]
  /**
   * Bytes per sector: 512, 1024, 2048 or 4096.
   * @default 512
   */
  readonly sectorSize?: number
  /**
   * Defaults of a platform. `'esp-idf'`: sectors and clusters of 4096 bytes, as the generators of ESP-IDF have them.
   * @default none
   */
  readonly profile?: 'esp-idf'
  /**
   * Adds the wear-levelling layer of ESP-IDF, so that the image can be flashed to a `data, fat` partition of its size.
   * `'safe'` also leaves two flash sectors free for `CONFIG_WL_SECTOR_MODE_SAFE` with sectors of 512 bytes.
   * @default false
   */
  readonly wearLevelling?: boolean | 'safe'
  /**
   * Up to 440 bytes of code in the MBR, which a BIOS runs.
   * @default none
   */
  readonly mbrCode?: Uint8Array
  /**
   * Times of files and directories. `'clamp'`: times after that of the environment variable `SOURCE_DATE_EPOCH` become
   * it; without the variable it is `'keep'`. `'keep'`: modification times. A `Date` or milliseconds since 1970: one
   * time for all. FAT stores 1980 to 2107 in steps of two seconds; other times become the nearest of these.
   * @default 'clamp'
   */
  readonly timestamps?: 'clamp' | 'keep' | Date | number
  /**
   * Accept names like `aux.c` or `con`, which Windows takes for devices and cannot open. Linux can.
   * @default false
   */
  readonly allowDeviceNames?: boolean
  /** Called several times a second while files are written, and at the end. */
  readonly onProgress?: (progress: MkfatfsProgress) => void
  /** Ends the run early: it rejects with the signal's reason and leaves no image. */
  readonly signal?: AbortSignal
}
