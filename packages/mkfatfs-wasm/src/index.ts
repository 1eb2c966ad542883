export type { EditFatImage, EditFatImageOptions } from './edit/edit-fat-image.ts'
export type { FatImageEditor } from './edit/fat-image-editor.ts'
export { MKFATFS_ERROR_CODES, MkfatfsError, type MkfatfsErrorCode, type MkfatfsErrorOptions } from './errors.ts'
export { editFatImage } from './host/edit-fat-image.ts'
export type { ExtractOptions } from './host/extract-tree.ts'
export {
  type HostFatImage as NewFatImage,
  type HostMkfatfsOptions as MkfatfsOptions,
  type HostVolumeOptions as VolumeOptions,
  type MkfatfsResult,
  mkfatfs,
} from './host/mkfatfs.ts'
export type { HostFatImageReader as FatImage } from './host/open-image.ts'
export { readFatImage } from './host/read-fat-image.ts'
export type { MkfatfsProgress, PartitionTable } from './options.ts'
export type { ImageFacts, VolumeFacts } from './plan-image.ts'
export type { FatEntry, ReadFatImageOptions } from './read/fat-image.ts'
export type { FatFile, FatFiles } from './tree/build-tree.ts'
export type { FileContents, StreamedContents } from './tree/file-contents.ts'
export type { FatType } from './volume/geometry.ts'
