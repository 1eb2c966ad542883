/** A way to move single files that takes no command in the guest. */
import type { ColdbootErrorOptions, ErrorCode } from '../../errors.ts'

/** What is moved, and what ends it. */
export interface FileRequest {
  /** In the guest, absolute. */
  readonly path: string
  /** Milliseconds, the multiplier applied. */
  readonly timeoutMs: number
  readonly signal: AbortSignal | undefined
}

/** Why a file was not moved. */
export class FileFailure extends Error {
  readonly code: ErrorCode
  readonly details: Omit<ColdbootErrorOptions, 'hint'>

  /** @param message behind "could not be read: " */
  constructor(code: ErrorCode, message: string, details: Omit<ColdbootErrorOptions, 'hint'> = {}) {
    super(message)
    this.code = code
    this.details = details
  }
}

/** Moves files of one machine; each is compared with what was sent. */
export interface FileTransport {
  /**
   * Writes a file, whole.
   *
   * @param mode permission bits, also of a file that is there already; undefined: what a file that is there has
   * @throws FileFailure
   */
  write(request: FileRequest, bytes: Uint8Array, mode: number | undefined): Promise<void>
  /** @throws FileFailure */
  read(request: FileRequest): Promise<Buffer>
}
