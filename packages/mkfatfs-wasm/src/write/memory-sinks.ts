/** Destinations of an image other than a file: bytes, a Blob, a stream. */
import type { ImageSink } from './sequential-writer.ts'

const ZEROS = new Uint8Array(2 ** 20)

/** Collects an image as bytes. */
export class BytesSink implements ImageSink {
  readonly bytes: Uint8Array<ArrayBuffer>

  constructor(size: number) {
    this.bytes = new Uint8Array(size)
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.bytes.set(bytes, position)
  }
}

/** Collects an image as a list of parts. Ranges of zeros share memory. */
export class PartsSink implements ImageSink {
  readonly parts: Uint8Array<ArrayBuffer>[] = []
  #end = 0

  async write(bytes: Uint8Array, position: number): Promise<void> {
    this.fill(position)
    this.parts.push(bytes.slice())
    this.#end += bytes.length
  }

  /** Adds zeros up to `position`. */
  fill(position: number): void {
    for (const zeros of zerosBetween(this.#end, position)) this.parts.push(zeros)
    this.#end = position
  }
}

/** Writes an image to a stream, with backpressure. */
export class StreamSink implements ImageSink {
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>
  #end = 0

  constructor(writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>) {
    this.#writer = writer
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    await this.fill(position)
    await this.#writer.write(bytes.slice())
    this.#end += bytes.length
  }

  /** Writes zeros up to `position`. */
  async fill(position: number): Promise<void> {
    for (const zeros of zerosBetween(this.#end, position)) await this.#writer.write(zeros.slice())
    this.#end = position
  }
}

function* zerosBetween(start: number, end: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let done = start; done < end; done += ZEROS.length) yield ZEROS.subarray(0, Math.min(ZEROS.length, end - done))
}
