/** Finds out when a screen holds still: only then is it worth being kept. */

/** How long. A text cursor blinks with a period of 457 ms (hw/display/vga.c), of which this has more than one. */
export const STILL_MS = 600

interface Frame {
  readonly at: number
  readonly picture: Uint8Array
}

/** A screen that is being looked at. */
export class Stillness {
  readonly #since: number
  #frames: readonly Frame[] = []

  /** @param now milliseconds, as of {@link look} */
  constructor(now: number) {
    this.#since = now
  }

  /**
   * Whether the screen has held still by now. One that goes to and fro between two pictures does: it has a cursor.
   * @param picture what it shows
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
