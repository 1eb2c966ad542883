/** Creates a FAT image from a directory or from texts, and translates the errors of mkfatfs. */
import type { MkfatfsError, MkfatfsErrorCode, MkfatfsOptions } from 'mkfatfs-wasm'
import {
  type ColdbootError,
  type ColdbootErrorOptions,
  codeOf,
  messageOf,
  OptionError,
  StartError,
} from '../../errors.ts'

/** Content of an image: the absolute path of a directory, or texts by file name. */
export type FatSource = string | Readonly<Record<string, string>>

/** Options of {@link makeFatImage}. */
export interface FatImageOptions {
  /** FAT volume label. */
  readonly label: string
  /** Whether the file system is in a partition. */
  readonly partition: boolean
  readonly signal: AbortSignal
}

/**
 * Creates a sparse image with one FAT file system.
 *
 * @returns size of the image, bytes
 * @throws OptionError `DIRECTORY_UNSHAREABLE` with the offending entries, `FILE_MISSING`; StartError `START_FAILED`
 * when the image cannot be written; the reason of the signal
 */
export async function makeFatImage(
  source: FatSource,
  image: string,
  { label, partition, signal }: FatImageOptions,
): Promise<number> {
  // Loaded on demand, because loading takes 30 ms.
  const { MkfatfsError, mkfatfs } = await import('mkfatfs-wasm')
  const options: MkfatfsOptions = {
    partitionTable: partition ? 'mbr' : 'none',
    label,
    // Names such as `aux.c` are a problem only on Windows.
    allowDeviceNames: true,
    // Keeps the times of the files on the host, even with SOURCE_DATE_EPOCH.
    timestamps: 'keep',
    signal,
  }
  try {
    const made =
      typeof source === 'string'
        ? await mkfatfs(source, image, options)
        : await (await mkfatfs({ ...options, files: source })).toFile(image)
    return made.size
  } catch (error) {
    throw MkfatfsError.is(error) ? translated(source, error) : error
  }
}

/** Creates the error for a directory that cannot be read, from the system's error. */
export function unreadable(directory: string, cause: unknown): OptionError {
  const reason = messageOf(cause)
  const isGone = codeOf(cause) === 'ENOENT'
  return new OptionError(isGone ? 'FILE_MISSING' : 'DIRECTORY_UNSHAREABLE', `${named(directory)}: ${reason}`, { cause })
}

const SHOWN_OFFENDERS = 20

function translated(source: FatSource, cause: MkfatfsError): ColdbootError {
  const { code, offenders } = cause
  const rest = offenders.length - SHOWN_OFFENDERS
  const shown = [...offenders.slice(0, SHOWN_OFFENDERS), ...(rest > 0 ? [`… and ${rest} more`] : [])]
  const what = typeof source === 'string' ? named(source) : 'The disk image cannot be created'
  const message = `${what}: ${cause.shortMessage}`
  const options: ColdbootErrorOptions = {
    hint: HINTS[code] ?? cause.hint,
    cause,
    sections: { 'In the directory': shown.join('\n') },
  }
  if (code === 'WRITE_FAILED') return new StartError('START_FAILED', message, options)
  return new OptionError(code === 'SOURCE_NOT_A_DIRECTORY' ? 'FILE_MISSING' : 'DIRECTORY_UNSHAREABLE', message, options)
}

/** Hints that replace those of mkfatfs, because users do not see the image. */
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
