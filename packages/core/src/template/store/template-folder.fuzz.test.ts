import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { damaged, fuzz } from '../../../test/fuzz.ts'
import { MemoryImage } from '../../machine/save/state/memory-image.ts'
import { encodePage } from '../../qemu/state/state-records.ts'
import {
  BASELESS,
  CONSOLE_FILE,
  CONTENTS_FILE,
  MEMORY_FILE,
  readTemplateFolder,
  STATE_FILE,
  sealTemplateFolder,
} from './template-folder.ts'

const KEY = 'a'.repeat(32)

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A template, and a layer over it. */
function templates(): { readonly base: string; readonly layer: string } {
  const folder = newFolder()
  const [base, layer] = [join(folder, 'base'), join(folder, 'layer')]
  for (const directory of [base, layer]) {
    mkdirSync(directory)
    for (const [name, text] of [
      [CONSOLE_FILE, 'booted'],
      [CONTENTS_FILE, '[null,"x"]'],
    ] as const)
      writeFileSync(join(directory, name), text)
  }
  writeFileSync(join(base, MEMORY_FILE), Buffer.alloc(8192))
  writeFileSync(join(base, STATE_FILE), 'state')
  sealTemplateFolder(base, undefined)
  const found = read(base)
  if (typeof found !== 'object' || 'unsavable' in found) throw new TypeError('the template is damaged')
  const page = encodePage({ block: 'pc.ram', offset: 4096, content: Buffer.alloc(4096, 1) }, false)
  const path = join(layer, STATE_FILE)
  writeFileSync(path, Buffer.concat([Buffer.from('head'), page, Buffer.from('tail')]))
  sealTemplateFolder(layer, {
    base: found,
    state: { path, headBytes: 4, pagesBytes: page.length, isWhole: false },
  })
  return { base, layer }
}

function read(directory: string, base?: string): ReturnType<typeof readTemplateFolder> {
  return readTemplateFolder(KEY, directory, () => (base === undefined ? undefined : read(base)))
}

/** Reads a folder, and all of its data that is used later. */
function use(directory: string, base?: string): unknown {
  const found = read(directory, base)
  if (typeof found !== 'object') return found
  if ('unsavable' in found) return typeof found.unsavable
  using memory = new MemoryImage({ base: found.memoryFile, layers: found.layers })
  memory.has({ block: 'pc.ram', offset: 0, content: undefined })
  return found.contents.every((content) => content === null || typeof content === 'string') ? 'whole' : found.contents
}

const OUTCOMES = ['whole', 'string', 'damaged', BASELESS]

test('a template with a damaged manifest is either usable or reported as damaged', () => {
  const { base, layer } = templates()
  expect([use(base), use(layer, base)]).toEqual(['whole', 'whole'])
  for (const [directory, below] of [
    [base, undefined],
    [layer, base],
  ] as const) {
    const path = join(directory, 'manifest.json')
    const original = readFileSync(path)
    const bytes = fc.oneof(
      damaged(original),
      fc.json({ maxDepth: 2 }).map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(bytes, (manifest) => {
        writeFileSync(path, manifest)
        expect(OUTCOMES).toContain(use(directory, below))
      }),
      fuzz(250),
    )
    writeFileSync(path, original)
  }
})

test('a changed value of a manifest is detected as damage, unless it is not used', () => {
  const { base, layer } = templates()
  const path = join(layer, 'manifest.json')
  const manifest = JSON.parse(readFileSync(path, 'utf8')) as Record<string, Record<string, unknown>>
  const places = Object.entries(manifest).flatMap(([key, value]) => [
    [key],
    ...(typeof value === 'object' ? Object.keys(value).map((inner) => [key, inner]) : []),
  ])
  const value = fc.oneof(
    fc.constantFrom(-1, 0, 1, 4.5, 2 ** 40, 1e300, null, '', [], {}, true),
    fc.jsonValue({ maxDepth: 1 }),
  )
  fc.assert(
    fc.property(fc.constantFrom(...places), value, ([key = '', inner], replaced) => {
      const part = inner === undefined ? replaced : { ...manifest[key], [inner]: replaced }
      writeFileSync(path, JSON.stringify({ ...manifest, [key]: part }))
      expect(OUTCOMES).toContain(use(layer, base))
    }),
    fuzz(250),
  )
})

describe('a template is damaged', () => {
  test.each([
    ['without its memory', { memory: undefined }],
    ['with a reason that is not a text', { unsavable: 5 }],
  ])('%s', (_title, change) => {
    const { base } = templates()
    rmSync(join(base, MEMORY_FILE))
    const path = join(base, 'manifest.json')
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), ...change }))
    expect(read(base)).toBe('damaged')
  })

  test.each<[string, object]>([
    ['that is null', { layer: null }],
    ['without numbers', { layer: { headBytes: {}, pagesBytes: {}, isWhole: false } }],
    ['with pages beyond its file', { layer: { headBytes: 4, pagesBytes: 2 ** 40, isWhole: false } }],
    ['with a negative length', { layer: { headBytes: -5, pagesBytes: 4, isWhole: false } }],
  ])('with a layer %s', (_title, change) => {
    const { base, layer } = templates()
    const path = join(layer, 'manifest.json')
    const manifest = JSON.parse(readFileSync(path, 'utf8')) as { layer: object }
    const changed = Object.entries(change).map(([key, value]) => [key, value && { ...manifest.layer, ...value }])
    writeFileSync(path, JSON.stringify({ ...manifest, ...Object.fromEntries(changed) }))
    expect(read(layer, base)).toBe('damaged')
  })

  test.each(['{', '5', 'null', '{"0":"x"}', '[5]'])('with %s as the contents of its devices', (contents) => {
    const { base } = templates()
    writeFileSync(join(base, CONTENTS_FILE), contents)
    const path = join(base, 'manifest.json')
    const hash = createHash('sha256').update(contents).digest('hex')
    writeFileSync(path, JSON.stringify({ ...(JSON.parse(readFileSync(path, 'utf8')) as object), contents: hash }))
    expect(read(base)).toBe('damaged')
  })
})
