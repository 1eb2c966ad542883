/** Interface between this package and the package of a test runner: a test attempt. */
import type { Attempt } from '@coldboot/report'
import type { GuestTestNotice } from './guest-tests.ts'

/** The test attempt, as described by the package of a test runner. */
export interface AttemptHost {
  /** Name of the test, without its groups. */
  readonly name: string
  readonly attempt: Attempt
  /** Aborts pending waits on the machines. */
  readonly waits: AbortSignal
  /** Stops the test's clock until the result is disposed. */
  hold(): Disposable
  /** Path of the socket that starts the run's pool keeper. @default none: pooled machines belong to this process */
  readonly keeper?: string | undefined
  /** Runs a session that needs the terminal. @default calls the session directly */
  lendTerminal?(session: () => Promise<void>): Promise<void>
  /** Receives the results of tests that ran inside a guest. @default none */
  readonly onGuestTests?: (notice: GuestTestNotice) => void
}
