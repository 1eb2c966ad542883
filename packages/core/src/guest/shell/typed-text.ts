/** Any text as lines that can be typed at a shell's prompt: printable ASCII, nothing that a line editor acts on. */
import { LONGEST_LINE } from './shell-functions.ts'

/** A word for the shell: `word` stands in the last line, the lines `before` it make what it refers to. */
export interface TypedWord {
  readonly before: readonly string[]
  readonly word: string
}

// Printable, and without what an interactive bash expands even in quotes.
const PLAIN = /^[\x20\x22-\x7e]*$/

/** Two words fit on a line, and what is around them. */
const AROUND = 100
const PIECE = (LONGEST_LINE - AROUND) / 2

const QUOTED_QUOTE = `'\\''`

/** @param variable of the shell, for what cannot be typed as it is */
export function typedWord(text: string, variable: string): TypedWord {
  if (PLAIN.test(text)) return inPieces(text, variable)
  const { before, word } = typedEscapes(Buffer.from(text), variable)
  // The stop keeps line ends at the end, which $() would take away.
  const decode = `${variable}=$(command printf '%b.' ${word});${variable}=\${${variable}%.}`
  return { before: [...before, decode], word: `"$${variable}"` }
}

/** Bytes, as an argument of `printf '%b'`. */
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

/** For `printf '%b'`: XSI octal escapes for all that is not plain, of one length so that a digit may follow. */
export function octal(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/[\0-\x1f!'\\\x7f-\xff]/g, (character) => `\\0${character.charCodeAt(0).toString(8).padStart(3, '0')}`)
}

// Never inside an escape, which is a backslash and four digits.
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
