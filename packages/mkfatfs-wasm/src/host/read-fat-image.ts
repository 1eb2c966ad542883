/** `readFatImage()` for Node. Loads the reader on demand, because programs that only make images do not need it. */
import type { ReadFatImageOptions } from '../read/fat-image.ts'
import type { HostFatImageReader } from './open-image.ts'

/**
 * Opens a FAT image to list and extract its contents. Never writes to the image.
 * @param image the path of a file, or the bytes of an image
 * @throws MkfatfsError `READ_FAILED`, `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED`, `INVALID_OPTION`
 */
export async function readFatImage(
  image: string | Uint8Array | ArrayBuffer | Blob,
  options: ReadFatImageOptions = {},
): Promise<HostFatImageReader> {
  const { openImage } = await import('./open-image.ts')
  return openImage(image, options)
}
