/** Bitmap fonts of text consoles: the built-in ones, and PSF files. */
import { gunzipSync, inflateRawSync } from 'node:zlib'
import { OptionError } from '../../errors.ts'
import { BUILT_IN_FONTS } from './built-in-fonts.ts'

/** A font. A glyph is a string with one character per byte, row by row, so that it can be a key of a map. */
export interface GlyphFont {
  readonly width: number
  readonly height: number
  /** Bytes per row of a glyph. */
  readonly stride: number
  /** Glyph → its character. */
  readonly characters: ReadonlyMap<string, string>
}

/** @param characters the character of each glyph; `undefined` for a glyph without a character */
function fontOf(
  { width, height }: { readonly width: number; readonly height: number },
  glyphs: Uint8Array,
  characters: readonly (string | undefined)[],
): GlyphFont {
  const stride = Math.ceil(width / 8)
  const size = stride * height
  const byGlyph = new Map<string, string>()
  // Letters take precedence, because some fonts have the same glyph for a letter and a sign.
  const order = [...characters.keys()].toSorted((a, b) => rank(characters[a]) - rank(characters[b]))
  for (const index of order) {
    const glyph = Buffer.from(glyphs.subarray(index * size, (index + 1) * size)).toString('latin1')
    const character = characters[index]
    if (character !== undefined && glyph.length === size && !byGlyph.has(glyph)) byGlyph.set(glyph, character)
  }
  return { width, height, stride, characters: byGlyph }
}

function rank(character: string | undefined): number {
  return character !== undefined && /^[\x20-\x7e]$/.test(character) ? 0 : 1
}

let builtIn: readonly GlyphFont[] | undefined

/** The fonts of PC firmware and Linux, and of Debian's console. */
export function builtInFonts(): readonly GlyphFont[] {
  builtIn ??= BUILT_IN_FONTS.map(({ glyphs, characters }) =>
    fontOf({ width: 8, height: 16 }, inflateRawSync(Buffer.from(glyphs, 'base64')), [...characters]),
  )
  return builtIn
}

/** Markers in the table of a PSF file: end of a glyph, start of a sequence (of combining characters). */
const [PSF1_END, PSF1_SEQUENCE] = [0xffff, 0xfffe]

/**
 * Reads a PSF font, version 1 or 2, which may be compressed with gzip (`man 5 psfont` of the package kbd).
 * @throws OptionError `INVALID_OPTION`
 */
export function parsePsf(file: Uint8Array, path: string): GlyphFont {
  const bytes = file[0] === 0x1f && file[1] === 0x8b ? gunzipSync(file) : Buffer.from(file)
  if (bytes.length > 32 && bytes.readUInt32LE(0) === 0x864ab572) return psf2(bytes)
  if (bytes.length > 4 && bytes.readUInt16LE(0) === 0x0436) return psf1(bytes)
  throw new OptionError('INVALID_OPTION', `text: the font is not a PSF file: ${path}`, {
    hint: 'Fonts of Linux consoles are in /usr/share/consolefonts or /usr/share/kbd/consolefonts.',
  })
}

function psf1(bytes: Buffer): GlyphFont {
  const [mode = 0, height = 16] = bytes.subarray(2, 4)
  const count = mode & 1 ? 512 : 256
  const end = 4 + count * height
  const characters: (string | undefined)[] = []
  if (mode & 2) {
    for (let at = end, first = true; at + 1 < bytes.length && characters.length < count; at += 2) {
      const code = bytes.readUInt16LE(at)
      if (code === PSF1_END) {
        if (first) characters.push(undefined)
        first = true
      } else if (first) {
        characters.push(code === PSF1_SEQUENCE ? undefined : String.fromCharCode(code))
        first = false
      }
    }
  }
  return fontOf({ width: 8, height }, bytes.subarray(4, end), named(characters, count))
}

function psf2(bytes: Buffer): GlyphFont {
  const [start, flags, count, size, height, width] = [8, 12, 16, 20, 24, 28].map((at) => bytes.readUInt32LE(at)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ]
  const end = start + count * size
  // The table has the characters of each glyph in UTF-8, with 0xff after them.
  const table = flags & 1 ? bytes.subarray(end) : Buffer.alloc(0)
  const characters: (string | undefined)[] = []
  for (let at = 0; at < table.length && characters.length < count; ) {
    const stop = table.indexOf(0xff, at)
    const entry = table.subarray(at, stop < 0 ? table.length : stop)
    const sequence = entry.indexOf(0xfe)
    const [first] = entry.subarray(0, sequence < 0 ? entry.length : sequence).toString()
    characters.push(first)
    at += entry.length + 1
  }
  return fontOf({ width, height }, bytes.subarray(start, end), named(characters, count))
}

/** Returns the characters of a table. A font without a table has the glyphs of Latin-1. */
function named(characters: readonly (string | undefined)[], count: number): readonly (string | undefined)[] {
  return characters.length > 0 ? characters : Array.from({ length: count }, (_, code) => String.fromCharCode(code))
}
