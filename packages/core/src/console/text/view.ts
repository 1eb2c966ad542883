/** One projection of what a console printed: its text, and where a place in it is in the stream. */
import type { Projection } from './decoder.ts'

const MOST_PARTS = 128

/** A string under construction. A guest that sends byte by byte must not cost a string a byte, hence the joining. */
export class StringBuilder {
  #parts: string[] = []
  /** Characters. */
  length = 0

  add(part: string): void {
    if (part === '') return
    this.#parts.push(part)
    this.length += part.length
    if (this.#parts.length === MOST_PARTS) this.#join()
  }

  /** The whole. */
  get text(): string {
    if (this.#parts.length > 1) this.#join()
    return this.#parts[0] ?? ''
  }

  #join(): void {
    this.#parts = [this.#parts.join('')]
  }
}

/** A piece of a text. */
export interface Piece {
  /** Where it starts, counted from the first character ever. */
  readonly start: number
  readonly builder: StringBuilder
}

interface ViewPiece extends Piece {
  /** The projection as it was before this piece. */
  readonly before: Projection
}

/** One projection of the stream. Offsets count its own characters from the first ever. */
export class View {
  readonly #stream: readonly Piece[]
  readonly #pieces: ViewPiece[] = []
  readonly #projection: Projection
  #end = 0

  constructor(stream: readonly Piece[], projection: Projection) {
    this.#stream = stream
    this.#projection = projection
  }

  /** The first character still kept. */
  get start(): number {
    return this.#pieces[0]?.start ?? this.#end
  }

  /** Behind the last character. */
  get end(): number {
    return this.#end
  }

  /** Text from one offset to another, as far as it is kept. */
  slice(from: number, to: number = this.#end): string {
    let text = ''
    for (let index = Math.max(0, lastAt(this.#pieces, from)); index < this.#pieces.length; index++) {
      const piece = this.#pieces[index]
      if (piece === undefined || piece.start >= to) break
      text += piece.builder.text.slice(Math.max(0, from - piece.start), to - piece.start)
    }
    return text
  }

  /** Where the view was when the stream had come to `position`. */
  fromStream(position: number): number {
    const index = lastAt(this.#stream, position)
    const piece = this.#pieces[index]
    const source = this.#stream[index]
    if (piece === undefined || source === undefined) return this.start
    const replayed = piece.before.clone().push(source.builder.text.slice(0, position - source.start))
    return Math.min(this.#end, piece.start + replayed.length)
  }

  /** The place in the stream right behind the character before `offset`: what is invisible there is not passed. */
  toStream(offset: number): number {
    const index = lastAt(this.#pieces, offset - 1)
    const piece = this.#pieces[index]
    const source = this.#stream[index]
    if (piece === undefined || source === undefined) return this.#stream[0]?.start ?? 0
    return source.start + lengthThatPrints(source.builder.text, piece.before.clone(), offset - piece.start)
  }

  /** Adds what `view: 'raw'` gives. `opens` says that a new piece of the stream begins with it. */
  add(raw: string, opens: boolean): string {
    if (opens) this.#pieces.push({ start: this.#end, builder: new StringBuilder(), before: this.#projection.clone() })
    return this.#append(this.#projection.push(raw))
  }

  /** Adds what was held back. */
  finish(): string {
    return this.#append(this.#projection.end())
  }

  /** The stream has dropped its first piece. */
  dropFirst(): void {
    this.#pieces.shift()
  }

  #append(text: string): string {
    this.#pieces.at(-1)?.builder.add(text)
    this.#end += text.length
    return text
  }
}

/** Index of the last piece that starts at or before `offset`, -1 for none. */
function lastAt(pieces: readonly Piece[], offset: number): number {
  let low = 0
  let high = pieces.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pieces[middle]?.start ?? 0) <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** How much of `view: 'raw'` it takes until `wanted` characters are printed, without those that print more than that. */
function lengthThatPrints(raw: string, projection: Projection, wanted: number): number {
  let state = projection
  let printed = 0
  let at = 0
  let span = raw.length
  while (span > 1) {
    const half = span >> 1
    const probe = state.clone()
    const length = probe.push(raw.slice(at, at + half)).length
    if (printed + length >= wanted) {
      span = half
    } else {
      state = probe
      printed += length
      at += half
      span -= half
    }
  }
  return printed + state.push(raw.slice(at, at + 1)).length > wanted ? at : at + 1
}
