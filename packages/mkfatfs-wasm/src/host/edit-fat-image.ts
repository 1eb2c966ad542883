/** `editFatImage()` for Node. Loads the editor on demand, because programs that only make images do not need it. */
import type { EditFatImage, EditFatImageOptions } from '../edit/edit-fat-image.ts'

/**
 * Changes an image file. The changes are made in a copy that atomically replaces the file at the end, so that the old image is
 * unchanged after a failure or a crash.
 * @param edit makes the changes
 * @throws MkfatfsError `READ_FAILED`, `WRITE_FAILED`, `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED`, `INVALID_OPTION`, errors of
 *   `edit`; the signal's reason
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
