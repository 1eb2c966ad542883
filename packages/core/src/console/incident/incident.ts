/** Type of a guest failure, which was recognized on the console or reported by QEMU. */
import type { ErrorCode } from '../../errors.ts'
import type { GuestFailureName } from './incident-kinds.ts'

/** A failure of a guest. Frozen. */
export interface Incident {
  /** Name of the failure: a built-in one, or one of `failOn.custom`. */
  readonly failure: GuestFailureName | (string & {})
  /** Code of the error with which waits are rejected. */
  readonly code: ErrorCode
  /** The line that reports the failure, without time stamp. */
  readonly message: string
  /** The output about the failure, at most 200 lines. */
  readonly excerpt: string
  /** Whether `failOn` allows this failure, so that waits continue. */
  readonly allowed: boolean
}
