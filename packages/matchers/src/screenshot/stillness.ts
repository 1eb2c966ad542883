/** Detects when a screen stops changing, apart from a blinking cursor. */

/** Milliseconds without a change. Longer than the period of a text cursor, 457 ms (hw/display/vga.c). */
export const STILL_MS = 600

interface Frame {
  readonly at: number
  readonly picture: Uint8Array
}

/** Recent screenshots of a screen. */
export class Stillness {
  readonly #since: number
  #frames: readonly Frame[] = []

  /** @param now milliseconds, on the clock of {@link look} */
  constructor(now: number) {
    this.#since = now
  }

  /**
   * Adds a screenshot. Returns whether the screen has stopped changing, or only alternates between two pictures because
   * of a cursor.
   */
  look(picture: Uint8Array, now: number): boolean {
    const same = this.#frames.find((frame) => Buffer.from(frame.picture).equals(picture))
    const recent = this.#frames.filter(({ at }) => at >= now - STILL_MS)
    this.#frames = [...recent, { at: now, picture: same?.picture ?? picture }]
    if (now - this.#since < STILL_MS) return false
    const pictures = this.#frames.map((frame) => frame.picture)
    const kinds = new Set(pictures).size
    const changes = pictures.filter((one, index) => index > 0 && one !== pictures[index - 1]).length
    return kinds === 1 || (kinds === 2 && changes >= 2)
  }
}
