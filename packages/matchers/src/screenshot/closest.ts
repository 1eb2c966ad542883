/** Selects the screenshot to report after a mismatch: the most similar of the recent ones. */
import type { KeptPicture } from './baseline.ts'
import type { Difference } from './picture.ts'
import { STILL_MS } from './stillness.ts'

/** A screenshot that did not match. */
export interface Attempt {
  /** The expected screenshot that it is closest to. */
  readonly expected: KeptPicture
  readonly picture: Uint8Array
  readonly difference: Difference
}

/** The recent screenshots, of at least one blink of a cursor, so that the cursor is not the reported difference. */
export class Closest {
  #recent: readonly (Attempt & { readonly at: number })[] = []

  /** The last screenshot. */
  get last(): Attempt | undefined {
    return this.#recent.at(-1)
  }

  /** The screenshot with the fewest different pixels. */
  get attempt(): Attempt | undefined {
    const [closest] = this.#recent.toSorted((a, b) => a.difference.pixels - b.difference.pixels)
    return closest
  }

  /** @param now milliseconds */
  add(attempt: Attempt, now: number): void {
    this.#recent = [...this.#recent.filter(({ at }) => at >= now - STILL_MS), { ...attempt, at: now }]
  }
}
