/** Tests that ran inside a guest, as an attempt of a test leaves them for reporters. */
import type { GuestTest } from '@coldboot/core'

/** One of them. */
export interface GuestTestRecord extends GuestTest {
  /** Name of the machine. */
  readonly machine: string
  /** The command that ran it. */
  readonly command: string
  /** Which attempt of the test it belongs to. */
  readonly repeat: number
  readonly retry: number
}
