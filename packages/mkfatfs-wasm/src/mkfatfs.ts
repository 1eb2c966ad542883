/** `mkfatfs()` for browsers and other platforms without a file system. */
import { createImage, NewFatImage, treesOf } from './new-image.ts'
import type { MkfatfsOptions } from './options.ts'

/**
 * Makes a FAT image from `options.files` or `options.partitions`. Names and sizes that FAT cannot store are refused at once;
 * streams and Blobs are read when the image is written.
 *
 * @throws MkfatfsError with one of {@link MKFATFS_ERROR_CODES}
 */
export async function mkfatfs(options: MkfatfsOptions): Promise<NewFatImage> {
  return createImage(
    options,
    undefined,
    () => treesOf(options),
    (planned, resolved) => new NewFatImage(planned, resolved),
  )
}
