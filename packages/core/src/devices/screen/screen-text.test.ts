import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { builtInFonts, type GlyphFont, parsePsf } from './glyph-font.ts'
import type { RgbPicture } from './ppm.ts'
import { readGlyphs, screenText } from './screen-text.ts'

interface Cell {
  readonly character: string
  readonly colours?: readonly [ground: number, text: number]
  readonly cursor?: boolean
}

/** Draws lines of cells with a font. @param gap width of the column between cells, as in VGA text mode */
function draw(
  font: GlyphFont,
  rows: readonly (readonly Cell[])[],
  size: readonly [number, number],
  gap = 0,
): RgbPicture {
  const [width, height] = size
  const data = new Uint8Array(width * height * 3)
  const glyphOf = (character: string) => [...font.characters].find(([, one]) => one === character)?.[0] ?? ''
  for (const [row, cells] of rows.entries()) {
    for (const [column, { character, colours = [0, 0xaaaaaa], cursor = false }] of cells.entries()) {
      const glyph = glyphOf(character)
      for (let y = 0; y < font.height; y++) {
        for (let x = 0; x < font.width + gap; x++) {
          const bits = glyph.charCodeAt(y * font.stride + (x >> 3))
          const isSet = (x < font.width && (bits & (0x80 >> (x & 7))) !== 0) || (cursor && y >= font.height - 3)
          const colour = colours[isSet ? 1 : 0]
          const at = ((row * font.height + y) * width + column * (font.width + gap) + x) * 3
          data.set([(colour >> 16) & 0xff, (colour >> 8) & 0xff, colour & 0xff], at)
        }
      }
    }
  }
  return { width, height, data }
}

const cells = (text: string): readonly Cell[] => [...text].map((character) => ({ character }))
const [vga, , fixed] = builtInFonts()
const pick = (font: GlyphFont | undefined): GlyphFont => font ?? expect.unreachable('a built-in font')

test('reads VGA text mode with cells of nine pixels', () => {
  const picture = draw(pick(vga), [cells('Install  Debian? [y/N] '), [], cells('║ ok ║ ½')], [720, 400], 1)
  expect(readGlyphs(picture, builtInFonts())).toMatchObject({ text: 'Install  Debian? [y/N]\n\n║ ok ║ ½' })
})

test('reads a console in graphics mode, with the font that knows the most glyphs', () => {
  const picture = draw(pick(fixed), [cells('root@host:~# ßœŽ gqjy_')], [1280, 800])
  const { text, known, glyphs } = readGlyphs(picture, builtInFonts())
  expect([text, known]).toEqual(['root@host:~# ßœŽ gqjy_', glyphs])
})

test('reads inverse text, colours, and the character below a cursor', () => {
  const inverse = [...'Entry 2'].map((character) => ({ character, colours: [0xaaaaaa, 0] as const }))
  const coloured = [...'blue'].map((character) => ({ character, colours: [0x0000aa, 0xffff55] as const }))
  const rows = [
    [...cells('Entry 1 '), ...inverse],
    coloured,
    [...cells('a'), { character: 'g', cursor: true }],
    [{ character: ' ', cursor: true }],
  ]
  expect(readGlyphs(draw(pick(vga), rows, [720, 400], 1), builtInFonts()).text).toBe('Entry 1 Entry 2\nblue\nag')
})

test('refuses graphics, and shows single unknown glyphs', async () => {
  const noise: RgbPicture = {
    width: 80,
    height: 32,
    data: Uint8Array.from({ length: 80 * 32 * 3 }, (_, at) => (at * 73) % 251),
  }
  await expect(screenText(async () => noise, {})).rejects.toMatchObject({ code: 'SCREEN_UNREADABLE' })
  const one = draw(pick(vga), [cells('abc')], [80, 32])
  one.data.set([1, 2, 3], 0)
  expect(await screenText(async () => one, {})).toBe('\ufffdbc')
  const blank: RgbPicture = { width: 80, height: 32, data: new Uint8Array(80 * 32 * 3) }
  expect(await screenText(async () => blank, {})).toBe('')
})

test('reads fonts in PSF 1 and 2', async () => {
  const glyph = (seed: number) => Buffer.from(Array.from({ length: 32 }, (_, at) => (seed * 31 + at * 7) & 0xff))
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const header = Buffer.alloc(32)
  for (const [index, value] of [0x864ab572, 0, 32, 1, 3, 32, 16, 16].entries()) header.writeUInt32LE(value, index * 4)
  const table = Buffer.concat([
    Buffer.from('A'),
    Buffer.from([0xff]),
    Buffer.from('éE'),
    Buffer.from([0xfe, 0x45, 0xff, 0xff]),
  ])
  const psf2 = Buffer.concat([header, glyph(1), glyph(2), glyph(3), table])
  const font = parsePsf(psf2, 'font')
  expect([...font.characters.values()]).toEqual(['A', 'é'])
  expect(font).toMatchObject({ width: 16, height: 16, stride: 2 })
  const picture = draw(font, [cells('AéA')], [160, 32])
  writeFileSync(join(folder, 'font.psf.gz'), gzipSync(psf2))
  expect(await screenText(async () => picture, { font: join(folder, 'font.psf.gz') })).toBe('AéA')

  const codes = Array.from({ length: 256 }, (_, code) => [0x100 + code, 0xffff]).flat()
  const psf1 = Buffer.concat([
    Buffer.from([0x36, 0x04, 2, 8]),
    Buffer.from(Array.from({ length: 2048 }, (_, at) => ((at >> 3) * 5 + (at & 7)) & 0xff)),
    Buffer.from(new Uint16Array(codes).buffer),
  ])
  const latin = parsePsf(psf1, 'font')
  expect([latin.height, latin.characters.size, [...latin.characters.values()][1]]).toEqual([8, 256, 'ā'])
  expect(() => parsePsf(Buffer.from('no font'), '/x')).toThrow(/not a PSF file: \/x/)
})

test('rejects options that are no options', async () => {
  const take = async () => expect.unreachable('no picture is taken')
  await expect(screenText(take, { font: '/none.psf' })).rejects.toThrow(/text: `font` does not exist/)
  await expect(screenText(take, { ocr: { language: '../eng' } })).rejects.toThrow(/`ocr` must be true, false, or/)
})
