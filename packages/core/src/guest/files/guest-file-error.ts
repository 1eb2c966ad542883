/** The error of a file that could not be moved. */
import { ColdbootError, type ColdbootErrorOptions, type ErrorCode } from '../../errors.ts'
import { GuestCommandError } from '../guest-command-error.ts'
import { FileFailure } from './file-transport.ts'

/**
 * A file of the guest could not be read or written. Codes `GUEST_FILE_MISSING`, `GUEST_FILE_DENIED`, `GUEST_FILE_FAILED`
 * for what the guest said of it; those of {@link GuestCommandError} where the guest could not be asked.
 */
export class GuestFileError extends ColdbootError {
  override readonly name: string = 'GuestFileError'
  /** In the guest. */
  readonly path: string

  constructor(code: ErrorCode, message: string, path: string, options: ColdbootErrorOptions = {}) {
    super(code, message, options)
    this.path = path
  }
}

const DENIED = /permission denied|operation not permitted|read-only file system/i
// dash and busybox ash have words of their own for a directory of what they are to create.
const MISSING = /no such file|not a directory|nonexistent directory|directory nonexistent/i

/** Code for the reason that a guest gave, in the words of its C library: all of them have these. */
export function fileErrorCode(reason: string): ErrorCode {
  if (DENIED.test(reason)) return 'GUEST_FILE_DENIED'
  return MISSING.test(reason) ? 'GUEST_FILE_MISSING' : 'GUEST_FILE_FAILED'
}

/**
 * Makes one error of what the transports throw.
 *
 * @param what what was to be done: "/tmp/a in "vm" could not be read"
 * @throws GuestFileError; what is no failure of a way, as it is
 */
export async function explained<T>(what: string, path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof FileFailure) {
      throw new GuestFileError(error.code, `${what}: ${error.message}`, path, error.details)
    }
    if (!(error instanceof GuestCommandError)) throw error
    if (error.code !== 'COMMAND_FAILED') {
      const { code, shortMessage, hint, sections } = error
      throw new GuestFileError(code, `${what}: ${shortMessage}`, path, { cause: error, hint, sections })
    }
    const reason = lastWords(error)
    throw new GuestFileError(fileErrorCode(reason), `${what}: ${reason}`, path, { cause: error })
  }
}

function lastWords({ stderr, exitCode }: GuestCommandError): string {
  const text = typeof stderr === 'string' ? stderr : Buffer.from(stderr).toString()
  return text.trim().split('\n').at(-1) || `exit code ${exitCode}`
}
