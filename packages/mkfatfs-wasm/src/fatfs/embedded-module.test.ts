import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { embeddedModule } from '../../scripts/fatfs-module.mjs'
import { mkfatfs, readFatImage } from '../index.ts'
import { CODE_PAGES, openVolume } from '../read/fat-image.ts'
import { MemoryImage } from '../read/image-reader.ts'
import { EMBEDDED_MODULE } from './embedded-module.ts'

const whole = new Uint8Array(readFileSync(new URL('fatfs.wasm', import.meta.resolve('js-fatfs'))))

test('equals the output of the script for the installed js-fatfs', () => {
  expect(Buffer.from(embeddedModule(whole)).toString('base64')).toBe(EMBEDDED_MODULE)
})

/** Sixteen files without long names, with the bytes 0x80 to 0xff in their names. */
async function imageWithAllBytes(): Promise<Uint8Array> {
  const names = Array.from({ length: 16 }, (_, index) => `F${index.toString(16)}XXXXXX`.toUpperCase())
  const bytes = Buffer.from(await (await mkfatfs({ files: new Map(names.map((name) => [name, ''])) })).toBytes())
  for (const [index, name] of names.entries()) {
    const at = bytes.indexOf(name.padEnd(11), 0, 'latin1')
    // The names begin with ASCII, because 0xe5 as the first byte marks a free slot.
    for (let byte = 0; byte < 8; byte++) bytes[at + 2 + byte] = 0x80 + index * 8 + byte
  }
  return bytes
}

test.for(CODE_PAGES)('decodes names of code page %i like the whole module', async (codePage) => {
  const image = new MemoryImage(await imageWithAllBytes())
  const options = { codePage, codePages: CODE_PAGES }
  const embedded = await openVolume(image, options)
  const other = await openVolume(image, { ...options, module: whole })
  const names = embedded.volume.entries('/').map(({ name }) => name)
  expect(names).toHaveLength(16)
  expect(names.join('')).toMatch(/[^\0-\x7f]/)
  expect(names).toEqual(other.volume.entries('/').map(({ name }) => name))
})

test('decodes names of an Asian code page with the whole module', async () => {
  const bytes = Buffer.from(await (await mkfatfs({ files: { ABCD: 'x' } })).toBytes())
  Buffer.from([0x93, 0xfa, 0x96, 0x7b]).copy(bytes, bytes.indexOf('ABCD       ', 0, 'latin1'))
  await using image = await readFatImage(bytes, { codePage: 932 })
  expect(await image.list()).toMatchObject([{ path: '日本' }])
  expect(String(await image.readFile('日本'))).toBe('x')
})
