/** Which picture to show of a screen that did not match: of the last ones, the one that came closest. */
import type { Difference } from './picture.ts'
import { STILL_MS } from './stillness.ts'

/** A picture that did not match. */
export interface Attempt {
  readonly picture: Uint8Array
  readonly difference: Difference
}

/** The last of them: a cursor that blinks is then not what differs. */
export class Closest {
  #recent: readonly (Attempt & { readonly at: number })[] = []

  /** What the last one differed in. */
  get last(): Difference | undefined {
    return this.#recent.at(-1)?.difference
  }

  /** The one with the fewest different pixels. */
  get attempt(): Attempt | undefined {
    const [closest] = this.#recent.toSorted((a, b) => a.difference.pixels - b.difference.pixels)
    return closest
  }

  /** @param now milliseconds */
  add(attempt: Attempt, now: number): void {
    this.#recent = [...this.#recent.filter(({ at }) => at >= now - STILL_MS), { ...attempt, at: now }]
  }
}
