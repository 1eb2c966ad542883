/** Something that happened to a guest and that a test would not survive, as it was seen on its console. */
import type { ErrorCode } from '../../errors.ts'
import type { GuestFailureName } from './incident-kinds.ts'

/** What happened. Frozen. */
export interface Incident {
  /** The monitor that saw it: one of the built-in ones, or the name of a custom one. */
  readonly failure: GuestFailureName | (string & {})
  /** The code of the error that waits are rejected with. */
  readonly code: ErrorCode
  /** The line that tells it, without the kernel's stamp. */
  readonly message: string
  /** All that was printed about it; bounded. */
  readonly excerpt: string
  /** Whether waits go on all the same: `'allow'` in `failOn`. */
  readonly allowed: boolean
}
