/** Progress bar on a terminal, for runs that take more than a second. */
import { formatByteSize } from '../byte-size.ts'

/** Milliseconds before the bar appears. */
const DELAY = 1000

/** A bar on `stream`. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream
  readonly #begun: number | undefined
  #bar: { update(value: number): void; stop(): void } | undefined
  #isLoading = false
  #isOver = false

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
    // Node loads its performance hooks at their first use.
    if (stream.isTTY) this.#begun = performance.now()
  }

  /** Shows the progress, if the run is long enough. */
  update({ bytes, totalBytes }: { readonly bytes: number; readonly totalBytes: number }): void {
    this.#bar?.update(bytes)
    if (this.#begun === undefined || this.#isLoading || performance.now() - this.#begun < DELAY) return
    this.#isLoading = true
    void this.#load(bytes, totalBytes)
  }

  /** Removes the bar. */
  stop(): void {
    this.#isOver = true
    this.#bar?.stop()
  }

  /** Loads the library on demand, because most runs end before they need it. */
  async #load(bytes: number, totalBytes: number): Promise<void> {
    const { Presets, SingleBar } = await import('cli-progress')
    if (this.#isOver) return
    const total = formatByteSize(totalBytes).replace(/ \(.*/, '')
    const options = {
      stream: this.#stream,
      clearOnComplete: true,
      hideCursor: true,
      format: `{bar} {percentage}% of ${total}, {eta_formatted} left`,
    }
    const bar = new SingleBar(options, Presets.shades_classic)
    bar.start(totalBytes, bytes)
    this.#bar = bar
  }
}
