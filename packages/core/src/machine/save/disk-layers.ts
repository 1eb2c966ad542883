/** Checks disk layers from an untrusted archive. */
import { inspectDiskImage } from '../../devices/disk/disk-image.ts'
import { ColdbootError } from '../../errors.ts'
import type { ArchiveReader } from './archive.ts'

/**
 * Rejects a disk image that refers to other files of the host, because QEMU would open them.
 * @param name name of the image, for errors
 * @throws OptionError `MACHINE_FILE_INVALID`
 */
export function requireOwnContent(archive: ArchiveReader, name: string, path: string): void {
  try {
    inspectDiskImage(path)
  } catch (cause) {
    if (!ColdbootError.is(cause)) throw cause
    throw archive.invalid(`its ${name} may not be used: ${cause.shortMessage.replaceAll(path, name)}`, cause)
  }
}
