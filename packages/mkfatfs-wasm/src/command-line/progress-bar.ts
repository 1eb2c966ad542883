/** The bar that long work shows: on a terminal only, and only when it has become long. */
import { formatByteSize } from '../byte-size.ts'

/** Milliseconds of work before a bar appears. */
const PATIENCE = 400

/** A bar on `stream`. */
export class ProgressBar {
  readonly #stream: NodeJS.WriteStream
  readonly #begun: number = performance.now()
  #bar: { update(value: number): void; stop(): void } | undefined
  #isLoading = false
  #isOver = false

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream
  }

  /** Shows how far the work is, if it is time to. */
  update({ bytes, totalBytes }: { readonly bytes: number; readonly totalBytes: number }): void {
    this.#bar?.update(bytes)
    if (!this.#stream.isTTY || this.#isLoading || performance.now() - this.#begun < PATIENCE) return
    this.#isLoading = true
    void this.#load(bytes, totalBytes)
  }

  /** Takes the bar away. */
  stop(): void {
    this.#isOver = true
    this.#bar?.stop()
  }

  /** The library is loaded when it is needed: most runs are over sooner. */
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
