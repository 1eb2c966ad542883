/** `editFatImage()` for Node. Loads the editor when it is called, because programs that only make images need none. */
import type { EditFatImage, EditFatImageOptions } from '../edit/edit-fat-image.ts'

/**
 * Changes an image file in a copy, which replaces the file in one step at the end: after a failure or a crash the old
 * image is unchanged.
 * @param edit makes the changes
 * @throws MkfatfsError `READ_FAILED`, `WRITE_FAILED`, `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED`, `INVALID_OPTION`, and errors of
 *   `edit`
 */
export async function editFatImage(image: string, edit: EditFatImage, options?: EditFatImageOptions): Promise<void>
/** Changes a copy of an image in memory, and returns it. */
export async function editFatImage(
  image: Uint8Array | ArrayBuffer | Blob,
  edit: EditFatImage,
  options?: EditFatImageOptions,
): Promise<Uint8Array<ArrayBuffer>>
export async function editFatImage(
  image: string | Uint8Array | ArrayBuffer | Blob,
  edit: EditFatImage,
  options: EditFatImageOptions = {},
): Promise<Uint8Array<ArrayBuffer> | undefined | void> {
  const { editImage } = await import('./edit-image.ts')
  return editImage(image, edit, options)
}
