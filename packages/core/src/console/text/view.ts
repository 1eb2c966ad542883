/** A view of the console output: its text, and the mapping of its positions to the stream. */
import type { Projection } from './decoder.ts'

const MOST_PARTS = 128

/** Builds a string efficiently, even if a guest sends single bytes. */
export class StringBuilder {
  #parts: string[] = []
  /** Length in characters. */
  length = 0

  add(part: string): void {
    if (part === '') return
    this.#parts.push(part)
    this.length += part.length
    if (this.#parts.length === MOST_PARTS) this.#join()
  }

  /** The complete text. */
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
  /** Start of the piece, as an offset from the first character of the stream. */
  readonly start: number
  readonly builder: StringBuilder
}

interface ViewPiece extends Piece {
  /** State of the projection before this piece. */
  readonly before: Projection
}

/** One view of the stream. Offsets count its own characters from the start. */
export class View {
  readonly #stream: readonly Piece[]
  readonly #pieces: ViewPiece[] = []
  readonly #projection: Projection
  #end = 0

  constructor(stream: readonly Piece[], projection: Projection) {
    this.#stream = stream
    this.#projection = projection
  }

  /** Offset of the first character that is still kept. */
  get start(): number {
    return this.#pieces[0]?.start ?? this.#end
  }

  /** Offset after the last character. */
  get end(): number {
    return this.#end
  }

  /** Text between two offsets, without dropped characters. */
  slice(from: number, to: number = this.#end): string {
    let text = ''
    for (let index = Math.max(0, lastAt(this.#pieces, from)); index < this.#pieces.length; index++) {
      const piece = this.#pieces[index]
      if (piece === undefined || piece.start >= to) break
      text += piece.builder.text.slice(Math.max(0, from - piece.start), to - piece.start)
    }
    return text
  }

  /** Maps a position of the stream to an offset. */
  fromStream(position: number): number {
    const index = lastAt(this.#stream, position)
    const piece = this.#pieces[index]
    const source = this.#stream[index]
    if (piece === undefined || source === undefined) return this.start
    const replayed = piece.before.clone().push(source.builder.text.slice(0, position - source.start))
    return Math.min(this.#end, piece.start + replayed.length)
  }

  /** Maps an offset to the position in the stream directly after the previous character of the view. */
  toStream(offset: number): number {
    const index = lastAt(this.#pieces, offset - 1)
    const piece = this.#pieces[index]
    const source = this.#stream[index]
    if (piece === undefined || source === undefined) return this.#stream[0]?.start ?? 0
    return source.start + lengthThatPrints(source.builder.text, piece.before.clone(), offset - piece.start)
  }

  /** Adds characters of the stream. @param opens whether the characters start a new piece */
  add(raw: string, opens: boolean): string {
    if (opens) this.#pieces.push({ start: this.#end, builder: new StringBuilder(), before: this.#projection.clone() })
    return this.#append(this.#projection.push(raw))
  }

  /** Adds the text that the projection still holds back. */
  finish(): string {
    return this.#append(this.#projection.end())
  }

  /** Drops the first piece, after the stream has dropped it. */
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

/** Length of the longest start of `raw` whose projection has at most `wanted` characters. */
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
