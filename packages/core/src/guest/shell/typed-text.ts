/** Encodes any text as lines for a shell prompt: printable ASCII, without characters that a line editor interprets. */
import { LONGEST_LINE } from './shell-functions.ts'

/** A shell word. The lines in `before` define a variable that `word` refers to. */
export interface TypedWord {
  readonly before: readonly string[]
  readonly word: string
}

// Printable ASCII without `!`, which an interactive bash expands even in double quotes.
const PLAIN = /^[\x20\x22-\x7e]*$/

/** Characters of a line that are reserved for other text. */
const AROUND = 100
const PIECE = (LONGEST_LINE - AROUND) / 2

const QUOTED_QUOTE = `'\\''`

/** Encodes a text as a shell word. @param variable shell variable for text that cannot be typed unchanged */
export function typedWord(text: string, variable: string): TypedWord {
  if (PLAIN.test(text)) return inPieces(text, variable)
  const { before, word } = typedEscapes(Buffer.from(text), variable)
  // $() removes trailing line ends, so a dot is appended and removed again.
  const decode = `${variable}=$(command printf '%b.' ${word});${variable}=\${${variable}%.}`
  return { before: [...before, decode], word: `"$${variable}"` }
}

/** Encodes bytes as an argument of `printf '%b'`. */
export function typedEscapes(bytes: Uint8Array, variable: string): TypedWord {
  return inPieces(octal(bytes), variable)
}

function inPieces(text: string, variable: string): TypedWord {
  const pieces = cut(text).map((piece) => `'${piece.replaceAll("'", QUOTED_QUOTE)}'`)
  const [first = "''"] = pieces
  if (pieces.length === 1) return { before: [], word: first }
  const before = pieces.map((piece, index) => `${variable}=${index === 0 ? '' : `$${variable}`}${piece}`)
  return { before, word: `"$${variable}"` }
}

/** Encodes bytes for `printf '%b'`, with octal escapes of fixed length, so that a digit may follow. */
export function octal(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\0-\x1f!'\\\x7f-\xff]/g, (character) => `\\0${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

// Splits a text, but never inside an escape, which is a backslash and four digits.
function cut(text: string): string[] {
  const pieces: string[] = []
  let piece = ''
  let width = 0
  for (const [part] of text.matchAll(/\\0\d{3}|'|[^'\\]{1,50}|\\/g)) {
    const partWidth = part === "'" ? QUOTED_QUOTE.length : part.length
    if (width + partWidth > PIECE) {
      pieces.push(piece)
      piece = ''
      width = 0
    }
    piece += part
    width += partWidth
  }
  return [...pieces, piece]
}
