/** Reads the text on a screen by comparing its cells with the glyphs of known fonts. */
import { readFile } from 'node:fs/promises'
import { ExpectError } from '../../errors.ts'
import { type CheckTable, checkTable, isPath, isString } from '../../options/checked-options.ts'
import { requireFile } from '../../options/required-path.ts'
import { builtInFonts, type GlyphFont, parsePsf } from './glyph-font.ts'
import type { RgbPicture } from './ppm.ts'
import type { ScreenTextOptions } from './screen.ts'

/** Replaces a glyph that is not in the font. */
const UNKNOWN = '\ufffd'

const CHECKS: CheckTable<Required<ScreenTextOptions>> = {
  font: isPath,
  ocr: [
    'true, false, or { language }',
    (value) =>
      typeof value === 'boolean' ||
      (typeof value === 'object' &&
        value !== null &&
        'language' in value &&
        isString(value.language) &&
        /^[a-z_]{3,12}$/.test(value.language)),
  ],
}

/** See `Screen.text`. @param take takes the picture. Called after the options were checked */
export async function screenText(take: () => Promise<RgbPicture>, options: ScreenTextOptions): Promise<string> {
  checkTable('text', options, CHECKS)
  const { ocr = false } = options
  const path = requireFile('text: font', options.font)
  const own = path === undefined ? [] : [parsePsf(await readFile(path), path)]
  const picture = await take()
  if (ocr !== false) {
    const { recognizeText } = await import('./ocr.ts')
    return recognizeText(picture, ocr === true ? 'eng' : ocr.language)
  }
  const { text, known, glyphs } = readGlyphs(picture, [...own, ...builtInFonts()])
  if (known * 2 >= glyphs) return text
  const { width, height } = picture
  throw new ExpectError(
    'SCREEN_UNREADABLE',
    `The screen shows graphics of ${width} by ${height} pixels, or text in an unknown font: ${known} of ${glyphs} cells are known glyphs`,
  )
}

/** Text of a picture, with the number of cells that are not blank and the number of known glyphs among them. */
export interface ReadText {
  readonly text: string
  readonly known: number
  readonly glyphs: number
}

/** Reads a picture with each font, and returns the text of the font with the most known glyphs. */
export function readGlyphs(picture: RgbPicture, fonts: readonly GlyphFont[]): ReadText {
  const [first = { text: '', known: 0, glyphs: 0 }, ...others] = fonts.map((font) => readWith(picture, font))
  return others.reduce((best, one) => (one.known * best.glyphs > best.known * one.glyphs ? one : best), first)
}

/** Width in VGA text mode with 80 columns. The ninth pixel column of a cell repeats the eighth, or is blank. */
const VGA_TEXT = { screen: 720, cell: 9 }

function readWith(picture: RgbPicture, font: GlyphFont): ReadText {
  const cellWidth = picture.width === VGA_TEXT.screen && font.width === 8 ? VGA_TEXT.cell : font.width
  const columns = Math.floor(picture.width / cellWidth)
  const rows = Math.floor(picture.height / font.height)
  const lines: string[] = []
  let [known, glyphs] = [0, 0]
  for (let row = 0; row < rows; row++) {
    const ground = commonColour(picture, row * font.height, font.height)
    let line = ''
    for (let column = 0; column < columns; column++) {
      const character = readCell(picture, font, column * cellWidth, row * font.height, ground)
      line += character
      if (character === ' ') continue
      glyphs++
      if (character !== UNKNOWN) known++
    }
    lines.push(line.trimEnd())
  }
  return { text: lines.join('\n').replace(/\n+$/, ''), known, glyphs }
}

/** The most frequent colour of some rows. */
function commonColour(picture: RgbPicture, top: number, height: number): number {
  const counts = new Map<number, number>()
  for (let y = top; y < top + height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const colour = colourAt(picture, x, y)
      counts.set(colour, (counts.get(colour) ?? 0) + 1)
    }
  }
  const [first] = [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), [0, 0] as const)
  return first
}

function colourAt({ data, width }: RgbPicture, x: number, y: number): number {
  const at = (y * width + x) * 3
  return ((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0)
}

function readCell(picture: RgbPicture, font: GlyphFont, left: number, top: number, ground: number): string {
  const colours = new Set<number>()
  for (let y = 0; y < font.height; y++) {
    for (let x = 0; x < font.width; x++) colours.add(colourAt(picture, left + x, top + y))
  }
  if (colours.size === 1) return ' '
  if (colours.size > 2) return UNKNOWN
  const [one = 0, other = 0] = colours
  // Tries both colours as the background, because text may be inverse, such as the selected entry of a menu.
  const grounds = other === ground ? [other, one] : [one, other]
  const shapes = grounds.map((colour) => shapeOf(picture, font, left, top, colour))
  for (const shape of shapes) {
    const character = font.characters.get(shape)
    if (character !== undefined) return character
  }
  for (const shape of shapes) {
    const character = belowCursor(shape, font)
    if (character !== undefined) return character
  }
  return UNKNOWN
}

function shapeOf(picture: RgbPicture, { width, height, stride }: GlyphFont, left: number, top: number, ground: number) {
  const bytes = Buffer.alloc(stride * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (colourAt(picture, left + x, top + y) === ground) continue
      const at = y * stride + (x >> 3)
      bytes[at] = (bytes[at] ?? 0) | (0x80 >> (x & 7))
    }
  }
  return bytes.toString('latin1')
}

/** The character under a cursor. The cursor covers whole rows at the bottom of a cell. */
function belowCursor(shape: string, { height, stride, characters, width }: GlyphFont): string | undefined {
  const full = Buffer.alloc(stride, 0xff)
  if (width % 8 !== 0) full[stride - 1] = (0xff << (8 - (width % 8))) & 0xff
  const row = (glyph: string, at: number): string => glyph.slice(at * stride, (at + 1) * stride)
  const hidden = new Set<number>()
  for (let at = Math.floor(height / 2); at < height; at++)
    if (row(shape, at) === full.toString('latin1')) hidden.add(at)
  if (hidden.size === 0) return undefined
  const isSame = (glyph: string): boolean =>
    Array.from({ length: height }, (_, at) => hidden.has(at) || row(glyph, at) === row(shape, at)).every(Boolean)
  return [...characters].find(([glyph]) => isSame(glyph))?.[1]
}
