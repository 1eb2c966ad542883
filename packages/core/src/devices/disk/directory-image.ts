/** A directory as a disk image for a guest; what goes wrong with it in terms of the machine's options. */
import type { MkfatfsError, MkfatfsErrorCode } from 'mkfatfs-wasm'
import { type ColdbootError, type ColdbootErrorOptions, OptionError, StartError } from '../../errors.ts'

/** What the image is like. */
export interface DirectoryImageOptions {
  /** Volume label, as FAT has them. */
  readonly label: string
  readonly signal: AbortSignal
}

/**
 * Makes a sparse image with an MBR and one FAT partition.
 *
 * @param directory an absolute path
 * @returns bytes of the image
 * @throws OptionError `DIRECTORY_UNSHAREABLE` with the entries to blame, `FILE_MISSING`; StartError `START_FAILED` when
 * the image cannot be written; the signal's reason
 */
export async function makeDirectoryImage(
  directory: string,
  image: string,
  { label, signal }: DirectoryImageOptions,
): Promise<number> {
  // Its load takes 30 ms, which a machine without such a disk need not pay.
  const { MkfatfsError, mkfatfs } = await import('mkfatfs-wasm')
  try {
    // Names like `aux.c` trouble Windows alone.
    const made = await mkfatfs(directory, image, {
      partitionTable: 'mbr',
      label,
      allowDeviceNames: true,
      // The guest sees the times of the host, also when the tests run with SOURCE_DATE_EPOCH.
      timestamps: 'keep',
      signal,
    })
    return made.size
  } catch (error) {
    throw MkfatfsError.is(error) ? translated(directory, error) : error
  }
}

/** The error for a directory that cannot be read, by the system's error. */
export function unreadable(directory: string, cause: unknown): OptionError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  const isGone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
  return new OptionError(isGone ? 'FILE_MISSING' : 'DIRECTORY_UNSHAREABLE', `${named(directory)}: ${reason}`, { cause })
}

const SHOWN_OFFENDERS = 20

function translated(directory: string, cause: MkfatfsError): ColdbootError {
  const { code, offenders } = cause
  const rest = offenders.length - SHOWN_OFFENDERS
  const shown = [...offenders.slice(0, SHOWN_OFFENDERS), ...(rest > 0 ? [`… and ${rest} more`] : [])]
  const message = `${named(directory)}: ${cause.shortMessage}`
  const options: ColdbootErrorOptions = {
    hint: HINTS[code] ?? cause.hint,
    cause,
    sections: { 'In the directory': shown.join('\n') },
  }
  if (code === 'WRITE_FAILED') return new StartError('START_FAILED', message, options)
  return new OptionError(code === 'SOURCE_NOT_A_DIRECTORY' ? 'FILE_MISSING' : 'DIRECTORY_UNSHAREABLE', message, options)
}

/** Where the advice of mkfatfs is not for a user who sees nothing of the image. */
const HINTS: Readonly<Partial<Record<MkfatfsErrorCode, string>>> = {
  IMAGE_PATH:
    'It contains the temporary files of the machine. Share a subdirectory, or set TMPDIR to another directory.',
  SOURCE_CHANGED: 'Start the machine when no other program writes to the directory.',
  WRITE_FAILED:
    'The image is created in the directory for temporary files. Free some space there, or set TMPDIR to another directory.',
}

function named(directory: string): string {
  return `readOnlyDirectory: ${directory} cannot be shared`
}
