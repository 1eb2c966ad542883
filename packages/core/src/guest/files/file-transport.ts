/** The interface of transports for single files, without a command in the guest. */
import type { ColdbootErrorOptions, ErrorCode } from '../../errors.ts'

/** Parameters of a transfer. */
export interface FileRequest {
  /** Absolute path in the guest. */
  readonly path: string
  /** Timeout, milliseconds, after the multiplier. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** The reason why a transfer failed. */
export class FileFailure extends Error {
  readonly code: ErrorCode
  readonly details: Omit<ColdbootErrorOptions, 'hint'>

  /** @param message text after "could not be read: " */
  constructor(code: ErrorCode, message: string, details: Omit<ColdbootErrorOptions, 'hint'> = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** The failure of a transfer that was aborted. */
export function abortedTransfer(cause: unknown): FileFailure {
  return new FileFailure('COMMAND_ABORTED', 'it was aborted', { cause })
}

/** Transfers files of one machine and verifies their content. */
export interface FileTransport {
  /**
   * Writes a file.
   *
   * @param mode permission bits, also for an existing file; undefined to keep its mode
   * @throws FileFailure
   */
  write(request: FileRequest, bytes: Uint8Array, mode: number | undefined): Promise<void>
  /** @throws FileFailure */
  read(request: FileRequest): Promise<Buffer>
}
