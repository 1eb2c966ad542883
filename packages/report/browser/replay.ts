/** Shows the console that a machine had at a time, with the player of asciinema. */
import type * as Asciinema from 'asciinema-player'
import { dataOf } from './elements.ts'

const FONT = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace'

/** The player in an element. The workbench sets its time, to keep all views synchronous. */
export class Replay {
  readonly #player: Asciinema.Player
  #wanted = 0
  #isSeeking = false

  private constructor(player: Asciinema.Player) {
    this.#player = player
  }

  /** @param id id of the workbench. @returns undefined without a recording */
  static create(id: string, element: HTMLElement): Replay | undefined {
    const library: typeof Asciinema | undefined = Reflect.get(globalThis, 'AsciinemaPlayer')
    const cast = dataOf<string>(`${id}-cast`)
    if (!library || cast === undefined) return undefined
    // No poster: after one, a seek to a time without new output would show an empty terminal.
    const player = library.create({ data: cast }, element, {
      preload: true,
      controls: false,
      fit: 'width',
      theme: 'asciinema',
      cursorMode: 'steady',
      terminalFontFamily: FONT,
    })
    return new Replay(player)
  }

  /** Shows the console at a time. While the player is busy, only the last time is kept. */
  show(time: number): void {
    this.#wanted = time
    if (!this.#isSeeking) void this.#seek()
  }

  async #seek(): Promise<void> {
    this.#isSeeking = true
    for (let shown: number | undefined; shown !== this.#wanted; ) {
      shown = this.#wanted
      await this.#player.seek(shown)
    }
    this.#isSeeking = false
  }
}
