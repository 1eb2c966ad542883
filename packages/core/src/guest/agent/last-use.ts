/** How the tests of this process talk to their guests, to prepare the next machine for the same. */

/** `agent`: with commands that an agent runs. `console`: with input to the console. */
export type GuestUse = 'agent' | 'console'

let last: GuestUse = 'agent'

/** The latest use of a guest. @default `agent` */
export function lastUse(): GuestUse {
  return last
}

/** Called for each use. */
export function noteUse(use: GuestUse): void {
  last = use
}
