/** `editFatImage()` for images in memory. */
import { CODE_PAGES, imageBytes, type OpenOptions, openVolume, type ReadFatImageOptions } from '../read/fat-image.ts'
import { type ImageBytes, MemoryImage } from '../read/image-reader.ts'
import { FatImageEditor } from './fat-image-editor.ts'

/** Options of `editFatImage()`. */
export interface EditFatImageOptions extends ReadFatImageOptions {
  /**
   * Accept names like `aux.c` or `con`, which Windows treats as devices and cannot open.
   * @default false
   */
  readonly allowDeviceNames?: boolean
  /** Aborts the change: it rejects with the signal's reason, and an image file is unchanged. */
  readonly signal?: AbortSignal
}

/** Callback that makes the changes. */
export type EditFatImage = (image: FatImageEditor) => void | Promise<void>

/**
 * Changes a copy of an image in memory.
 * @param edit makes the changes; if it rejects, the call rejects with the same error
 * @returns the changed image
 * @throws MkfatfsError `NOT_A_FAT_IMAGE`, `IMAGE_DAMAGED`, `INVALID_OPTION`, errors of `edit`; the signal's reason
 */
export async function editFatImage(
  image: Uint8Array | ArrayBuffer | Blob,
  edit: EditFatImage,
  options: EditFatImageOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  return editMemory(image, edit, options, { codePages: CODE_PAGES })
}

/** Implements `editFatImage()`. @param support code pages of the platform, and the latest time to store */
export async function editMemory(
  image: Uint8Array | ArrayBuffer | Blob,
  edit: EditFatImage,
  options: EditFatImageOptions,
  support: EditSupport,
): Promise<Uint8Array<ArrayBuffer>> {
  const copy = Uint8Array.from(await imageBytes(image))
  await editBytes(new MemoryImage(copy, { isWritable: true }), edit, options, support)
  return copy
}

/** Differences between platforms. */
export interface EditSupport extends Pick<OpenOptions, 'codePages' | 'module'> {
  /** Latest time to store, milliseconds since 1970. @default none */
  readonly latestTime?: number | undefined
}

/** Changes an image, and closes it. */
export async function editBytes(
  bytes: ImageBytes,
  edit: EditFatImage,
  options: EditFatImageOptions,
  { latestTime = Number.POSITIVE_INFINITY, ...support }: EditSupport,
): Promise<void> {
  const { allowDeviceNames = false, signal, ...rest } = options
  const clock = { now: 0 }
  const opened = await openVolume(bytes, { ...rest, ...support, clock: () => clock.now })
  const currentTime = () => Math.min(Date.now(), latestTime)
  await using editor = new FatImageEditor(opened, { clock, currentTime, allowDeviceNames })
  signal?.throwIfAborted()
  await edit(editor)
  signal?.throwIfAborted()
}
