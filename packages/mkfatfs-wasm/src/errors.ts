/** The error class of this package, with stable codes and a list of offending paths. */

/** Stable codes, each with general advice. */
export const MKFATFS_ERROR_CODES = {
  // The call is wrong: change the options.
  UNKNOWN_OPTION: 'Remove the option, or use one of those in the message.',
  INVALID_OPTION: 'Use a value that the message describes.',
  SOURCE_NOT_A_DIRECTORY: 'Pass an existing directory that this user can read.',
  IMAGE_PATH: 'Pass a file in an existing directory outside of the packed one.',
  // The tree cannot be stored as FAT: nothing was written.
  UNSUPPORTED_FILE:
    'FAT stores directories and files only: replace links by copies of their targets, and remove the rest.',
  NAME_INVALID: 'Rename these: FAT cannot store their names.',
  NAME_COLLISION: 'Rename one of each pair: FAT does not distinguish upper and lower case.',
  FILE_TOO_LARGE: 'Split these files: the largest FAT file has 4 GiB less one byte.',
  DIRECTORY_TOO_LARGE: 'Spread the files over several directories: a FAT directory has 65,536 slots of 32 bytes.',
  IMAGE_TOO_SMALL: 'Give a larger `size`, or "fit".',
  TYPE_IMPOSSIBLE: 'Choose another `type`, or "auto".',
  // A failure while the image was written; no image is left.
  SOURCE_CHANGED: 'Run it again while no program writes to the source.',
  READ_FAILED: 'Check that this user can read the file.',
  WRITE_FAILED: 'Check the free space and the permissions of the directory of the image.',
  // Reading or changing an image.
  NOT_A_FAT_IMAGE: 'Pass an image with a FAT12, FAT16 or FAT32 volume; exFAT and NTFS are not supported.',
  IMAGE_DAMAGED: 'Check the image with `fsck.fat -n`.',
  NOT_IN_IMAGE: 'Use a path that `list()` returns, with forward slashes.',
  PATH_CONFLICT: 'Remove or rename the entry in the way first.',
  ENTRY_READ_ONLY: 'Clear the read-only attribute first: `mattrib -r` of mtools does.',
  IMAGE_FULL: 'Remove other files first, or make a larger image.',
  TARGET_NOT_EMPTY: 'Extract into a new or an empty directory.',
  EXTRACT_INCOMPLETE:
    'All other entries were extracted. Read these with `readFile()`, or extract on another file system.',
} as const

/** A stable code, the type of `error.code`. */
export type MkfatfsErrorCode = keyof typeof MKFATFS_ERROR_CODES

/** Properties of an error besides its message. */
export interface MkfatfsErrorOptions {
  /**
   * Advice.
   * @default the sentence of the code in {@link MKFATFS_ERROR_CODES}
   */
  readonly hint?: string
  /** The offending paths, each with its reason if the reasons differ. The message shows the first twenty. */
  readonly offenders?: readonly string[]
  /** The cause of this error. */
  readonly cause?: unknown
}

const SHOWN_OFFENDERS = 20
// A registered symbol, because `instanceof` fails if two copies of this package are loaded.
const brand = Symbol.for('mkfatfs-wasm.error')

/** The error of this package. `message` contains the reason, a hint, and the offending paths. */
export class MkfatfsError extends Error {
  override readonly name: string = 'MkfatfsError'
  /** Stable code for programs. */
  readonly code: MkfatfsErrorCode
  /** The first part of `message`: the failure and its reason. */
  readonly shortMessage: string
  /** Advice. */
  readonly hint: string
  /** All offending paths; empty if the error is not about files. */
  readonly offenders: readonly string[]

  constructor(code: MkfatfsErrorCode, shortMessage: string, options: MkfatfsErrorOptions = {}) {
    const { hint = MKFATFS_ERROR_CODES[code], offenders = [] } = options
    super(
      [shortMessage, hint, ...formatOffenders(offenders)].join('\n'),
      'cause' in options ? { cause: options.cause } : undefined,
    )
    this.code = code
    this.shortMessage = shortMessage
    this.hint = hint
    this.offenders = offenders
    Object.defineProperty(this, brand, { value: true })
  }

  /** Whether `value` is an error of this package, or of another copy of this package. */
  static is(value: unknown): value is MkfatfsError {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/** The message of a thrown value. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function formatOffenders(offenders: readonly string[]): string[] {
  const lines = offenders.slice(0, SHOWN_OFFENDERS).map((offender) => `  ${offender}`)
  const rest = offenders.length - lines.length
  return rest > 0 ? [...lines, `  ... and ${rest} more`] : lines
}
