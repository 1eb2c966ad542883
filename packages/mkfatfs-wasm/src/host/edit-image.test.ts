import { chmodSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect } from 'vitest'
import { names } from '../../test/generated-trees.ts'
import { makeScratch, test } from '../../test/scratch.ts'
import { asMtoolsShow, fsck, mcopyOut, mdirFiles, tool } from '../../test/tools.ts'
import type { FatImageEditor } from '../edit/fat-image-editor.ts'
import { editFatImage, MkfatfsError, mkfatfs, readFatImage } from '../index.ts'
import { foldCase } from '../names/case-fold.ts'

const files = { 'a/b/deep.txt': 'deep', 'a/other.txt': 'other', 'top.txt': 'top' }

/** Reads the paths and contents of all files. */
async function contentsOf(image: string | Uint8Array): Promise<Record<string, string>> {
  await using read = await readFatImage(image)
  const found: Record<string, string> = {}
  for (const { path, kind } of await read.list())
    found[path] = kind === 'file' ? String(await read.readFile(path)) : '/'
  return found
}

/** Number of used clusters, as counted by fsck.fat. */
async function usedClusters(image: string): Promise<number> {
  const output = await tool('fsck.fat', '-n', image)
  return Number(/(\d+)\/\d+ clusters/.exec(output)?.[1])
}

describe('changes an image file', () => {
  test('adds, replaces, renames and removes files and directories', async ({ scratch }) => {
    const image = scratch.at('disk.img')
    await (await mkfatfs({ files, size: '1M' })).toFile(image)
    await editFatImage(image, async (edit) => {
      await edit.writeFile('new/dir/Long file name.text', 'new', { modified: new Date('2020-01-02T03:04:06Z') })
      await edit.writeFile('TOP.TXT', new Uint8Array(5000).fill(120))
      await edit.makeDirectory('empty')
      await edit.rename('a/b', 'moved')
      await edit.rename('a/other.txt', 'a/Other.TXT')
      await edit.rename('a', 'A')
      expect((await edit.list()).map(({ path }) => path)).toContain('moved/deep.txt')
    })
    await fsck(image)
    expect(await contentsOf(image)).toEqual({
      A: '/',
      'A/Other.TXT': 'other',
      empty: '/',
      moved: '/',
      'moved/deep.txt': 'deep',
      new: '/',
      'new/dir': '/',
      'new/dir/Long file name.text': 'new',
      'top.txt': 'x'.repeat(5000),
    })
    await using read = await readFatImage(image)
    const entry = (await read.list()).find(({ path }) => path === 'new/dir/Long file name.text')
    expect(entry?.modified?.toISOString()).toBe('2020-01-02T03:04:06.000Z')
    expect(readdirSync(scratch.path)).toEqual(['disk.img'])
  })

  // The image has no space for two copies of the file.
  test.for([
    ['fat12', '8M', 5_000_000],
    ['fat16', '8M', 5_000_000],
    ['fat32', '40M', 20_000_000],
  ] as const)('reclaims the space of %s', async ([type, size, bytes], { scratch }) => {
    const image = scratch.at('disk.img')
    await (await mkfatfs({ files, type, size })).toFile(image)
    const before = await usedClusters(image)
    await editFatImage(image, async (edit) => {
      for (let round = 0; round < 4; round++) {
        await edit.writeFile('large.bin', new Uint8Array(bytes).fill(round))
        await edit.writeFile(`tree/${round}/file`, 'x')
      }
    })
    await fsck(image)
    expect(await usedClusters(image)).toBeGreaterThan(before)
    await editFatImage(image, async (edit) => {
      await edit.remove('large.bin')
      await edit.remove('tree')
    })
    await fsck(image)
    expect(await usedClusters(image)).toBe(before)
    expect(await contentsOf(image)).toMatchObject(files)
  })

  test.for(['none', 'gpt'] as const)(
    'in a file with the table %s leaves all other bytes alone',
    async (partitionTable, { scratch }) => {
      const image = scratch.at('disk.img')
      const { volumeOffset } = await (await mkfatfs({ files, partitionTable, size: '4M' })).toFile(image)
      const before = readFileSync(image)
      await editFatImage(image, (edit) => edit.writeFile('one.txt', '1'))
      const after = readFileSync(image)
      expect(after.length).toBe(before.length)
      expect(after.subarray(0, volumeOffset).equals(before.subarray(0, volumeOffset))).toBe(true)
      const changed = before.reduce((count, byte, index) => count + (byte === after[index] ? 0 : 1), 0)
      expect(changed).toBeLessThan(100)
    },
  )

  test('keeps the mode of the file, its link and its holes', async ({ scratch }) => {
    const image = scratch.at('disk.img')
    await (await mkfatfs({ files, size: '64M' })).toFile(image)
    chmodSync(image, 0o640)
    symlinkSync('disk.img', scratch.at('link.img'))
    await editFatImage(scratch.at('link.img'), (edit) => edit.remove('top.txt'))
    const { blocks, mode } = statSync(image)
    expect(mode & 0o777).toBe(0o640)
    expect(blocks * 512).toBeLessThan(2 ** 20)
    expect(readdirSync(scratch.path).toSorted()).toEqual(['disk.img', 'link.img'])
  })

  test('a failed change leaves the image unchanged, and no other file', async ({ scratch }) => {
    const image = scratch.at('disk.img')
    await (await mkfatfs({ files, size: '1M' })).toFile(image)
    const before = readFileSync(image)
    const mistake = new Error('a mistake')
    const call = editFatImage(image, async (edit) => {
      await edit.remove('a')
      throw mistake
    })
    await expect(call).rejects.toBe(mistake)
    expect(readFileSync(image).equals(before)).toBe(true)
    expect(readdirSync(scratch.path)).toEqual(['disk.img'])
  })

  test.for([
    ['a full image', (edit) => edit.writeFile('large.bin', new Uint8Array(2_000_000)), 'IMAGE_FULL', 'large.bin'],
    ['a missing file to remove', (edit) => edit.remove('nothing'), 'NOT_IN_IMAGE', 'nothing'],
    ['a missing file to rename', (edit) => edit.rename('nothing', 'x'), 'NOT_IN_IMAGE', 'nothing'],
    ['an existing target', (edit) => edit.rename('top.txt', 'a/other.txt'), 'PATH_CONFLICT', 'a/other.txt'],
    ['a directory moved into itself', (edit) => edit.rename('a', 'A/b/c'), 'PATH_CONFLICT', 'A/b/c'],
    ['a file over a directory', (edit) => edit.writeFile('a', 'x'), 'PATH_CONFLICT', 'a'],
    ['a directory over a file', (edit) => edit.makeDirectory('top.txt'), 'PATH_CONFLICT', 'top.txt'],
    ['a file as a directory', (edit) => edit.writeFile('top.txt/x', 'x'), 'PATH_CONFLICT', 'top.txt/x'],
    ['a reserved character', (edit) => edit.writeFile('b/x?', 'x'), 'NAME_INVALID', 'b/x? (reserved character ?)'],
    ['a path that leads up', (edit) => edit.rename('a', '../a'), 'NAME_INVALID', '../a (".." in a path)'],
  ] as const satisfies readonly (readonly [string, (edit: FatImageEditor) => Promise<void>, string, string])[])(
    'refuses %s, and the image stays usable',
    async ([, change, code, offender], { scratch }) => {
      const image = scratch.at('disk.img')
      await (await mkfatfs({ files, size: '1M' })).toFile(image)
      await editFatImage(image, async (edit) => {
        await expect(change(edit)).rejects.toMatchObject({ code, offenders: [offender] })
        await edit.writeFile('after.txt', 'after')
      })
      await fsck(image)
      expect(await contentsOf(image)).toMatchObject({ ...files, 'after.txt': 'after' })
    },
  )

  test('refuses to change a read-only entry', async ({ scratch }) => {
    const image = scratch.at('disk.img')
    await (await mkfatfs({ files, size: '1M' })).toFile(image)
    await tool('mattrib', '+r', '-i', image, '::/a/other.txt')
    for (const change of [
      (edit: FatImageEditor) => edit.writeFile('a/other.txt', 'x'),
      (edit: FatImageEditor) => edit.remove('a'),
    ]) {
      await expect(editFatImage(image, change)).rejects.toMatchObject({
        code: 'ENTRY_READ_ONLY',
        offenders: ['a/other.txt'],
      })
    }
  })

  test('an editor cannot be used after the call', async () => {
    const image = await (await mkfatfs({ files, size: '1M' })).toBytes()
    let kept: FatImageEditor | undefined
    await editFatImage(image, (edit) => {
      kept = edit
    })
    await expect(kept?.writeFile('x', 'x')).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('an aborted change', () => {
  const abort = new Error('stopped')

  test('leaves the old image, and rejects with the reason of the signal', async ({ scratch }) => {
    const image = scratch.at('disk.img')
    await (await mkfatfs({ files, size: '1M' })).toFile(image)
    const before = readFileSync(image)
    const during = new AbortController()
    const edit = async (editor: FatImageEditor): Promise<void> => {
      await editor.remove('a')
      during.abort(abort)
    }
    await expect(editFatImage(image, edit, { signal: during.signal })).rejects.toBe(abort)
    expect(readFileSync(image).equals(before)).toBe(true)
    expect(readdirSync(scratch.path)).toEqual(['disk.img'])
    const late = async (): Promise<void> => expect.unreachable()
    await expect(editFatImage(image, late, { signal: AbortSignal.abort(abort) })).rejects.toBe(abort)
  })

  test('returns no image in memory', async () => {
    const image = await (await mkfatfs({ files, size: '1M' })).toBytes()
    const during = new AbortController()
    const change = editFatImage(image, () => during.abort(abort), { signal: during.signal })
    await expect(change.then(() => 'changed')).rejects.toBe(abort)
  })
})

test('changes an image in memory without changing the argument, also in a wear-levelling layer', async () => {
  const image = await (await mkfatfs({ files, profile: 'esp-idf', wearLevelling: true, size: '1M' })).toBytes()
  const before = Buffer.from(image)
  const changed = await editFatImage(image, (edit) => edit.rename('top.txt', 'renamed.txt'))
  expect(before.equals(image)).toBe(true)
  expect(Object.keys(await contentsOf(changed))).toEqual(['a', 'a/b', 'a/b/deep.txt', 'a/other.txt', 'renamed.txt'])
})

const paths = fc
  .array(fc.oneof(fc.constantFrom('d', 'D', 'e'), names), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join('/'))
const changes = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ kind: fc.constant('write'), path: paths, size: fc.nat(20_000) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('make'), path: paths }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove'), pick: fc.nat() }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('rename'), pick: fc.nat(), path: paths }) },
  ),
  { minLength: 1, maxLength: 25 },
)

/** Model of the expected tree, by case-folded path. Methods return false for a change that must be refused. */
class Model {
  readonly entries = new Map<string, { readonly path: string; readonly contents: string | undefined }>()

  make(path: string, contents: string | undefined): boolean {
    const parts = path.split('/')
    const parents = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
    for (const parent of parents) {
      const present = this.entries.get(foldCase(parent))
      if (present !== undefined && present.contents !== undefined) return false
      if (present === undefined) this.entries.set(foldCase(parent), { path: this.shown(parent), contents: undefined })
    }
    const present = this.entries.get(foldCase(path))
    if (present !== undefined && (present.contents === undefined) !== (contents === undefined)) return false
    this.entries.set(foldCase(path), { path: present?.path ?? this.shown(path), contents })
    return true
  }

  /** The path with the stored spelling of its parents. */
  shown(path: string): string {
    const slash = path.lastIndexOf('/')
    if (slash < 0) return path
    const parent = this.entries.get(foldCase(path.slice(0, slash)))
    return `${parent?.path ?? path.slice(0, slash)}${path.slice(slash)}`
  }

  below(path: string) {
    const folded = foldCase(path)
    return [...this.entries].filter(([key]) => key === folded || key.startsWith(`${folded}/`))
  }
}

test('any sequence of changes results in the files of a model, read by FatFs and mtools, without faults in fsck.fat', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom('fat12', 'fat16', 'fat32'), changes, async (type, list) => {
      using scratch = makeScratch()
      const image = scratch.at('disk.img')
      await (await mkfatfs({ files: {}, type, size: '40M' })).toFile(image)
      const model = new Model()
      await editFatImage(image, async (edit) => {
        const outcome = (call: Promise<void>) =>
          call.then(
            () => true,
            (error: unknown) => {
              if (MkfatfsError.is(error) && error.code === 'PATH_CONFLICT') return false
              throw error
            },
          )
        for (const change of list) {
          const known = [...model.entries.values()]
          if (change.kind === 'write' && 'size' in change) {
            const contents = 'x'.repeat(change.size)
            expect(await outcome(edit.writeFile(change.path, contents))).toBe(model.make(change.path, contents))
          } else if (change.kind === 'make' && 'path' in change) {
            expect(await outcome(edit.makeDirectory(change.path))).toBe(model.make(change.path, undefined))
          } else if ('pick' in change && known.length > 0) {
            const { path } = known[change.pick % known.length] ?? { path: '' }
            if (!('path' in change)) {
              await edit.remove(path)
              for (const [key] of model.below(path)) model.entries.delete(key)
              continue
            }
            await applyRename(model, path, change.path, (from, to) => outcome(edit.rename(from, to)))
          }
        }
      })
      await fsck(image)
      const expected = Object.fromEntries(
        [...model.entries.values()].map(({ path, contents }) => [path, contents ?? '/']),
      )
      expect(await contentsOf(image)).toEqual(expected)
      const stored = [...model.entries.values()].filter(({ contents }) => contents !== undefined)
      if (stored.length === 0) return
      expect(await mdirFiles(image)).toEqual(stored.map(({ path }) => asMtoolsShow(path)).toSorted())
      const out = scratch.tree('out', {})
      await mcopyOut(image, out)
      for (const { path, contents } of stored)
        expect(readFileSync(`${out}/${asMtoolsShow(path)}`, 'utf8')).toBe(contents)
    }),
    { numRuns: 12 },
  )
})

async function applyRename(
  model: Model,
  from: string,
  to: string,
  rename: (from: string, to: string) => Promise<boolean>,
): Promise<void> {
  const [old, renamed] = [foldCase(from), foldCase(to)]
  const moved = model.below(from)
  const isInside = renamed.startsWith(`${old}/`)
  const parent = to.includes('/') ? to.slice(0, to.lastIndexOf('/')) : ''
  // Parents are created before the target is checked.
  const hasParent = isInside || parent === '' || model.make(parent, undefined)
  const isFree = old === renamed || !model.entries.has(renamed)
  const isPossible = !isInside && hasParent && isFree
  expect(await rename(from, to)).toBe(isPossible)
  if (!isPossible) return
  const target = model.shown(to)
  for (const [key] of moved) model.entries.delete(key)
  for (const [, { path, contents }] of moved) {
    const shown = target + path.slice(from.length)
    model.entries.set(foldCase(shown), { path: shown, contents })
  }
}
