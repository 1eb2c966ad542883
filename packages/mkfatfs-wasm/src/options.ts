/** Options of `mkfatfs()`. */
import type { FatFiles } from './tree/build-tree.ts'
import type { FatType } from './volume/geometry.ts'

/**
 * The partition table of the image. `'none'`: a volume without a partition table, like `mkfs.fat` creates it. `'hybrid'`: a GPT
 * whose MBR also lists the first three partitions, for firmware that only reads MBRs.
 */
export type PartitionTable = 'none' | 'mbr' | 'gpt' | 'hybrid'

/** The progress of a run. */
export interface MkfatfsProgress {
  /** Bytes of file contents written so far. */
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
   * FAT12, FAT16 or FAT32; with `'auto'`, FatFs selects the type by the size of the volume.
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
   * Entries of the root directory of FAT12 and FAT16, up to 32,768. Raised automatically if the files need more.
   * @default 512
   */
  readonly rootEntries?: number
  /**
   * A boot sector of 512 bytes. Its jump instruction and its code are copied, the fields between them are not.
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
   * Size of the whole image; in an entry of `partitions`, of the partition. Bytes as a number, text like `'64M'`, or `'fit'`: as
   * small as the files allow.
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
  /** Several volumes, in the order of their partitions. Replaces the options of a single volume. */
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
   * Times of files and directories. `'keep'`: modification times. `'clamp'`: modification times, limited to that of the
   * environment variable `SOURCE_DATE_EPOCH` if it is set. A `Date` or milliseconds since 1970: this time for all. FAT stores the
   * years 1980 to 2107 with a resolution of two seconds; other times become the nearest one.
   * @default 'clamp'
   */
  readonly timestamps?: 'clamp' | 'keep' | Date | number
  /**
   * Accept names like `aux.c` or `con`, which Windows treats as devices and cannot open. Linux can.
   * @default false
   */
  readonly allowDeviceNames?: boolean
  /** Called several times per second while files are written, and at the end. */
  readonly onProgress?: (progress: MkfatfsProgress) => void
  /** Aborts the run: it rejects with the signal's reason, and leaves no image. */
  readonly signal?: AbortSignal
}
