/** Results of tests inside a guest, as stored for reporters. */
import type { GuestTest } from '@coldboot/core'

/** The result of one test inside a guest. */
export interface GuestTestRecord extends GuestTest {
  /** Name of the machine. */
  readonly machine: string
  /** The command that ran the test. */
  readonly command: string
  /** The attempt of the host's test. */
  readonly repeat: number
  readonly retry: number
}
