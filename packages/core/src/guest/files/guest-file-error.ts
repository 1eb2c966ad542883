/** The error of a failed file transfer. */
import { ColdbootError, type ColdbootErrorOptions, type ErrorCode } from '../../errors.ts'
import type { Guest } from '../guest.ts'
import { GuestCommandError, isSilence } from '../guest-command-error.ts'
import { FileFailure } from './file-transport.ts'

/**
 * A file of the guest could not be read or written. Codes `GUEST_FILE_MISSING`, `GUEST_FILE_DENIED`,
 * `GUEST_FILE_FAILED` with the guest's error; those of {@link GuestCommandError} if the guest cannot be reached.
 */
export class GuestFileError extends ColdbootError {
  override readonly name: string = 'GuestFileError'
  /** Path of the file in the guest. */
  readonly path: string

  constructor(code: ErrorCode, message: string, path: string, options: ColdbootErrorOptions = {}) {
    super(code, message, options)
    this.path = path
  }
}

const DENIED = /permission denied|operation not permitted|read-only file system/i
// dash and busybox ash have their own messages for a missing directory of a new file.
const MISSING = /no such file|not a directory|nonexistent directory|directory nonexistent/i

/** Error code for a message of the guest. All C libraries use the same messages. */
export function fileErrorCode(reason: string): ErrorCode {
  if (DENIED.test(reason)) return 'GUEST_FILE_DENIED'
  return MISSING.test(reason) ? 'GUEST_FILE_MISSING' : 'GUEST_FILE_FAILED'
}

/**
 * Converts errors of transports to a GuestFileError.
 *
 * @param done participle of the failed action, such as `read`
 * @throws GuestFileError; other errors unchanged
 */
export async function explained<T>(
  guest: Pick<Guest, 'name' | 'adviceOnSilence'>,
  path: string,
  done: string,
  work: () => Promise<T>,
): Promise<T> {
  const what = `${path} in "${guest.name}" could not be ${done}`
  try {
    return await work()
  } catch (error) {
    if (error instanceof FileFailure) {
      const hint = isSilence(error.code) ? guest.adviceOnSilence : undefined
      throw new GuestFileError(error.code, `${what}: ${error.message}`, path, {
        ...error.details,
        ...(hint === undefined ? {} : { hint }),
      })
    }
    if (!(error instanceof GuestCommandError)) throw error
    if (error.code !== 'COMMAND_FAILED') {
      const { code, shortMessage, hint, sections } = error
      throw new GuestFileError(code, `${what}: ${shortMessage}`, path, { cause: error, hint, sections })
    }
    const reason = lastErrorLine(error)
    throw new GuestFileError(fileErrorCode(reason), `${what}: ${reason}`, path, { cause: error })
  }
}

function lastErrorLine({ stderr, exitCode }: GuestCommandError): string {
  const text = typeof stderr === 'string' ? stderr : Buffer.from(stderr).toString()
  return text.trim().split('\n').at(-1) || `exit code ${exitCode}`
}
