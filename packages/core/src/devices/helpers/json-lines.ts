/** Reader of JSON values, one per line, from a byte stream. */
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { ExpectError } from '../../errors.ts'
import { abortable, type SignalOptions } from './abortable.ts'

// Limited, because an incomplete line is kept in memory.
const LONGEST_LINE = 16 << 20

/** Events after which there may be more data, or the stream has ended. */
const MORE = ['readable', 'end', 'close', 'error'] as const

/** Reads one value at a time, and no more of the stream than needed. */
export class JsonLines {
  readonly #stream: Readable
  readonly #what: string
  readonly #decoder = new StringDecoder('utf8')
  readonly #lines: string[] = []
  #rest = ''

  /** @param what description of the stream, for errors */
  constructor(stream: Readable, what: string) {
    this.#stream = stream
    this.#what = what
  }

  /**
   * Returns the next value; undefined at the end of the stream. Empty lines are skipped.
   * @throws ExpectError `CHANNEL_GARBLED` for a line that is not JSON or exceeds 16 MiB, `EXPECT_ABORTED`
   */
  async next(options: SignalOptions = {}): Promise<{ readonly value: unknown } | undefined> {
    for (;;) {
      const line = this.#lines.shift()
      if (line !== undefined) return { value: this.#parse(line) }
      const chunk = this.#stream.read() as Buffer | null
      if (chunk !== null) this.#receive(this.#decoder.write(chunk))
      else if (this.#stream.readableEnded || this.#stream.destroyed) return this.#last()
      else await this.#more(options)
    }
  }

  /** Waits until there may be more data, or the stream has ended. @throws ExpectError `EXPECT_ABORTED` */
  async #more(options: SignalOptions): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const listener = (): void => resolve()
    for (const event of MORE) this.#stream.on(event, listener)
    try {
      await abortable(promise, `an event of ${this.#what}`, options)
    } finally {
      for (const event of MORE) this.#stream.off(event, listener)
    }
  }

  #receive(text: string): void {
    const [end = '', ...more] = text.split('\n')
    this.#rest += end
    for (const next of more) {
      if (this.#rest.trim() !== '') this.#lines.push(this.#rest)
      this.#rest = next
    }
    if (this.#rest.length > LONGEST_LINE) throw this.#garbled(this.#rest)
  }

  #last(): { readonly value: unknown } | undefined {
    const line = this.#rest + this.#decoder.end()
    this.#rest = ''
    return line.trim() === '' ? undefined : { value: this.#parse(line) }
  }

  #parse(line: string): unknown {
    try {
      return JSON.parse(line)
    } catch (cause) {
      throw this.#garbled(line, cause)
    }
  }

  #garbled(line: string, cause?: unknown): ExpectError {
    const message = `${this.#what} sent a line that is not JSON: ${JSON.stringify(line.slice(0, 200))}`
    return new ExpectError('CHANNEL_GARBLED', message, { cause })
  }
}
