/** Property test: checks images of generated trees with fsck.fat, mdir and mcopy, and reads them back through FatFs. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { trees } from '../test/generated-trees.ts'
import { makeScratch } from '../test/scratch.ts'
import { asMtoolsShow, fsck, mcopyOut, mdirFiles } from '../test/tools.ts'
import { mkfatfs, readFatImage } from './index.ts'

const utf8 = { recursive: true, encoding: 'utf8' } as const

const options = fc.record(
  {
    type: fc.constantFrom('auto', 'fat12', 'fat16', 'fat32'),
    partitionTable: fc.constantFrom('none', 'mbr', 'gpt', 'hybrid'),
    label: fc.constantFrom('EFI', 'A LABEL', 'ELEVENCHARS'),
    size: fc.constantFrom('fit', '70M'),
  },
  { requiredKeys: ['partitionTable'] },
)

test('any tree is read back byte for byte by mtools and by FatFs, and fsck.fat finds no fault', {
  timeout: 120_000,
}, async () => {
  await fc.assert(
    fc.asyncProperty(trees, options, async (files, { type, size, ...rest }) => {
      using scratch = makeScratch()
      const source = scratch.tree('source', files)
      const image = scratch.at('disk.img')
      // FAT12 cannot have 70 MB.
      const made = await mkfatfs(source, image, {
        ...rest,
        type: type ?? 'auto',
        size: type === 'fat12' ? 'fit' : (size ?? 'fit'),
      })

      const { volumeOffset } = made
      await using read = await readFatImage(image)
      expect(read).toMatchObject({
        type: made.type,
        volumeOffset,
        partitionTable: rest.partitionTable,
        label: rest.label,
      })
      await fsck(image, { offset: volumeOffset, size: read.volumeSize })

      const paths = readdirSync(source, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1))
      const byFatFs = scratch.at('by-fatfs')
      await read.extract(byFatFs)
      expect(new Set(readdirSync(byFatFs, utf8))).toEqual(new Set(readdirSync(source, utf8)))
      for (const path of paths)
        expect(readFileSync(join(byFatFs, path)).equals(readFileSync(join(source, path))), path).toBe(true)

      if (Object.keys(files).length === 0) return
      expect(await mdirFiles(image, volumeOffset)).toEqual(paths.map(asMtoolsShow).toSorted())
      const byMtools = scratch.tree('by-mtools', {})
      await mcopyOut(image, byMtools, volumeOffset)
      for (const path of paths)
        expect(readFileSync(join(byMtools, asMtoolsShow(path))).equals(readFileSync(join(source, path))), path).toBe(
          true,
        )
    }),
    { numRuns: 15 },
  )
})
