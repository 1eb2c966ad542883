/**
 * The output of a console in memory, limited in size: the stream of raw characters, and its views.
 *
 * A view is a projection of the stream: clean text by default, the stream itself for `{ view: 'raw' }`, clean text
 * without kernel messages for `{ view: 'userspace' }`. The stream is divided into pieces, each with the state of the
 * projections at its start. To map a position from one view to another, only one piece is replayed.
 */
import { TextDecoder } from 'node:util'
import { AS_SENT, CleanText, type Projection } from './decoder.ts'
import { UserspaceText } from './userspace-text.ts'
import { type Piece, StringBuilder, View } from './view.ts'

/** Names of the views. */
export const VIEW_NAMES = ['clean', 'raw', 'userspace'] as const

export type ViewName = (typeof VIEW_NAMES)[number]

/** Creates the projection of each view. */
export const PROJECTIONS: Readonly<Record<ViewName, () => Projection>> = {
  clean: () => new CleanText(),
  raw: () => AS_SENT,
  userspace: () => new UserspaceText(),
}

/** Decoder of the stream. Invalid bytes become U+FFFD, and a byte order mark is kept. */
export function newUtf8Decoder(): TextDecoder {
  return new TextDecoder('utf-8', { ignoreBOM: true })
}

/** Length of a piece, characters: short enough for a quick replay, long enough for a small number of pieces. */
const PIECE = 8192

/** Default number of characters of the stream in memory. Older ones are only in the log. */
export const KEPT_CHARACTERS: number = 16 * 2 ** 20

/** Text that {@link ConsoleText.append} has added to each existing view. */
export type Additions = Partial<Record<ViewName, string>>

/** The stream and its views. */
export class ConsoleText {
  readonly #keep: number
  readonly #pieces: Piece[] = []
  readonly #views = new Map<ViewName, View>()
  #end = 0

  /** @param keep number of characters of the stream to keep */
  constructor(keep: number = KEPT_CHARACTERS) {
    this.#keep = keep
    this.view('clean')
  }

  /** First position that is still in memory: above 0 if older characters were dropped. */
  get start(): number {
    return this.#pieces[0]?.start ?? this.#end
  }

  /** Position after the last character of the stream. */
  get end(): number {
    return this.#end
  }

  append(raw: string): Additions {
    const added: Additions = {}
    if (raw === '') return added
    const last = this.#pieces.at(-1)
    const opens = last === undefined || last.builder.length >= PIECE
    const piece = opens ? { start: this.#end, builder: new StringBuilder() } : last
    if (opens) this.#pieces.push(piece)
    for (const [name, view] of this.#views) added[name] = view.add(raw, opens)
    piece.builder.add(raw)
    this.#end += raw.length
    this.#drop()
    return added
  }

  /** Adds the text that the projections still hold back to the views. Called at the end of the output. */
  finish(): Additions {
    const added: Additions = {}
    for (const [name, view] of this.#views) added[name] = view.finish()
    return added
  }

  /** Returns a view. At the first use, it is created from the stream in memory. */
  view(name: ViewName): View {
    const known = this.#views.get(name)
    if (known !== undefined) return known
    const view = new View(this.#pieces, PROJECTIONS[name]())
    for (const piece of this.#pieces) view.add(piece.builder.text, true)
    this.#views.set(name, view)
    return view
  }

  #drop(): void {
    let first = this.#pieces[0]
    while (
      first !== undefined &&
      this.#pieces.length > 1 &&
      this.#end - first.start - first.builder.length >= this.#keep
    ) {
      this.#pieces.shift()
      for (const view of this.#views.values()) view.dropFirst()
      first = this.#pieces[0]
    }
  }
}
