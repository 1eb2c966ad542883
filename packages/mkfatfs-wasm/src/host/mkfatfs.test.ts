import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { describe, expect } from 'vitest'
import { test } from '../../test/scratch.ts'
import { fsck } from '../../test/tools.ts'
import { readFatImage } from '../index.ts'
import { mkfatfs } from './mkfatfs.ts'

const built = new URL('../../dist/index.js', import.meta.url)

describe('refuses a tree that FAT cannot store, with all offenders, before a byte is written:', () => {
  test('reserved characters, trailing dots and blanks', async ({ scratch }) => {
    const source = scratch.tree('source', { 'ok.txt': '', 'a:b': '', 'dir/what?': '', 'dir./x': '', 'blank ': '' })
    await expect(mkfatfs(source, scratch.at('image'))).rejects.toMatchObject({
      code: 'NAME_INVALID',
      offenders: [
        'a:b (reserved character :)',
        'blank  (trailing blank)',
        'dir. (trailing dot)',
        'dir/what? (reserved character ?)',
      ],
    })
    expect(readdirSync(scratch.path)).toEqual(['source'])
  })

  test('names that differ only in case', async ({ scratch }) => {
    const source = scratch.tree('source', { Foo: '', foo: '', 'd/ÄRGER.txt': '', 'd/ärger.TXT': '', 'd/foo': '' })
    await expect(mkfatfs(source, scratch.at('image'))).rejects.toMatchObject({
      code: 'NAME_COLLISION',
      offenders: ['Foo and foo', 'd/ÄRGER.txt and d/ärger.TXT'],
    })
    expect(readdirSync(scratch.path)).toEqual(['source'])
  })

  test('device names of Windows, unless they are allowed', async ({ scratch }) => {
    const source = scratch.tree('source', { 'aux.c': 'int x;' })
    const image = scratch.at('image')
    await expect(mkfatfs(source, image)).rejects.toMatchObject({
      code: 'NAME_INVALID',
      offenders: [expect.stringContaining('aux.c')],
    })
    await mkfatfs(source, image, { allowDeviceNames: true })
    await fsck(image)
  })

  test('a file of 4 GiB', async ({ scratch }) => {
    const source = scratch.tree('source', { small: 'x', large: '' })
    truncateSync(scratch.at('source', 'large'), 2 ** 32)
    await expect(mkfatfs(source, scratch.at('image'))).rejects.toMatchObject({
      code: 'FILE_TOO_LARGE',
      offenders: ['large (4 GiB (4,294,967,296 bytes))'],
    })
    expect(readdirSync(scratch.path)).toEqual(['source'])
  })

  test('an image that is too small, with both sizes', async ({ scratch }) => {
    const source = scratch.tree('source', { file: Buffer.alloc(3_000_000) })
    await expect(mkfatfs(source, scratch.at('image'), { size: '2M' })).rejects.toThrow(
      /needs an image of 2\.9 MiB \(\d,\d{3},\d{3} bytes\), `size` is 2 MiB \(2,097,152 bytes\)\.\nGive a larger `size`/,
    )
    expect(readdirSync(scratch.path)).toEqual(['source'])
  })

  test('the message shows twenty offenders and counts the rest', async ({ scratch }) => {
    const files = Object.fromEntries(Array.from({ length: 25 }, (_, index) => [`file ${index}?`, '']))
    const error: unknown = await mkfatfs(scratch.tree('source', files), scratch.at('image')).catch(
      (error: unknown) => error,
    )
    expect(error).toMatchObject({ offenders: expect.objectContaining({ length: 25 }) })
    expect(String(error).split('\n')).toHaveLength(1 + 1 + 20 + 1)
    expect(String(error)).toContain('\n  ... and 5 more')
  })
})

describe('paths', () => {
  test('refuses a source that is missing or a file', async ({ scratch }) => {
    const source = scratch.tree('source', { file: '' })
    for (const wrong of [scratch.at('nowhere'), `${source}/file`]) {
      await expect(mkfatfs(wrong, scratch.at('image'))).rejects.toMatchObject({ code: 'SOURCE_NOT_A_DIRECTORY' })
    }
  })

  test('an image that is a directory, a device, in a missing directory or in the source is refused', async ({
    scratch,
  }) => {
    const source = scratch.tree('source', { 'sub/file': '' })
    symlinkSync(source, scratch.at('link'))
    for (const wrong of [
      source,
      '/dev/null',
      scratch.at('nowhere', 'image'),
      `${source}/sub/image`,
      scratch.at('link', 'image'),
    ]) {
      await expect(mkfatfs(source, wrong)).rejects.toMatchObject({ code: 'IMAGE_PATH' })
    }
  })

  test('accepts a link as the source, and keeps an image that is a link', async ({ scratch }) => {
    scratch.tree('source', { file: 'x' })
    symlinkSync('source', scratch.at('link'))
    writeFileSync(scratch.at('real.img'), '')
    symlinkSync('real.img', scratch.at('link.img'))
    const { image } = await mkfatfs(scratch.at('link'), scratch.at('link.img'))
    expect(image).toBe(scratch.at('real.img'))
    await fsck(scratch.at('real.img'))
  })
})

describe('options', () => {
  test.for([
    ['an unknown one', { lable: 'X' }, 'UNKNOWN_OPTION', 'Known are files, label, type,'],
    ['a type', { type: 'exfat' }, 'INVALID_OPTION', '`type` is "exfat", not one of auto, fat12, fat16, fat32.'],
    ['a partition', { partitionTable: 'apm' }, 'INVALID_OPTION', 'not one of none, mbr, gpt, hybrid.'],
    ['a type without a partition', { partitionType: 'efi' }, 'INVALID_OPTION', '`partitionTable` is "none"'],
    ['a label', { label: 'much too long' }, 'INVALID_OPTION', 'it has 13 characters'],
    ['a size of words', { size: 'large' }, 'INVALID_OPTION', '`size` is "large"'],
    ['a size that is not a multiple of 512', { size: 1_000_000 }, 'INVALID_OPTION', 'a multiple of 512 bytes'],
    ['a time', { timestamps: new Date('never') }, 'INVALID_OPTION', '`timestamps` is Invalid Date'],
  ] as const)('refuses an option: %s', async ([, options, code, words], { scratch }) => {
    const call = mkfatfs(scratch.tree('source', {}), scratch.at('image'), options as object)
    await expect(call).rejects.toMatchObject({ code, message: expect.stringContaining(words) })
  })
})

describe('a run that fails leaves no half image', () => {
  const three = { 'a.bin': Buffer.alloc(3_000_000, 1), 'b.bin': Buffer.alloc(3_000_000, 2), 'c.bin': 'small' }

  /** Calls `act` while the first file of the source is being copied. */
  async function disturb(scratch: { path: string; at(...names: string[]): string }, act: () => void) {
    writeFileSync(scratch.at('disk.img'), 'the image before')
    let isDone = false
    const onProgress = () => {
      if (!isDone) act()
      isDone = true
    }
    const error: unknown = await mkfatfs(scratch.at('source'), scratch.at('disk.img'), { onProgress }).catch(
      (error: unknown) => error,
    )
    expect(readFileSync(scratch.at('disk.img'), 'latin1')).toBe('the image before')
    expect(readdirSync(scratch.path).toSorted()).toEqual(['disk.img', 'source'])
    return error
  }

  test('a run that fails leaves no half image when a large file shrinks', async ({ scratch }) => {
    const source = scratch.tree('source', three)
    const error = await disturb(scratch, () => truncateSync(`${source}/b.bin`, 2_000_000))
    expect(error).toMatchObject({ code: 'SOURCE_CHANGED', offenders: ['b.bin'] })
  })

  test('a run that fails leaves no half image when a small file grows', async ({ scratch }) => {
    const source = scratch.tree('source', three)
    const error = await disturb(scratch, () => writeFileSync(`${source}/c.bin`, 'not that small'))
    expect(error).toMatchObject({ code: 'SOURCE_CHANGED', offenders: ['c.bin'] })
  })

  test('a run that fails leaves no half image when a file vanishes', async ({ scratch }) => {
    const source = scratch.tree('source', three)
    for (const name of ['b.bin', 'c.bin']) {
      const error = await disturb(scratch, () => rmSync(`${source}/${name}`))
      expect(error).toMatchObject({ code: 'READ_FAILED', offenders: [name] })
      writeFileSync(`${source}/${name}`, three['b.bin'])
    }
  })

  test('a run that fails leaves no half image when the caller aborts', async ({ scratch }) => {
    scratch.tree('source', three)
    const controller = new AbortController()
    const reason = new Error('enough')
    const call = mkfatfs(scratch.at('source'), scratch.at('disk.img'), {
      signal: controller.signal,
      onProgress: () => controller.abort(reason),
    })
    await expect(call).rejects.toBe(reason)
    expect(readdirSync(scratch.path)).toEqual(['source'])
    await expect(mkfatfs(scratch.at('source'), scratch.at('disk.img'), { signal: controller.signal })).rejects.toBe(
      reason,
    )
  })

  test('a run that fails leaves no half image when a callback throws', async ({ scratch }) => {
    scratch.tree('source', three)
    const mistake = new TypeError('a mistake')
    const onProgress = () => {
      throw mistake
    }
    await expect(mkfatfs(scratch.at('source'), scratch.at('disk.img'), { onProgress })).rejects.toBe(mistake)
    expect(readdirSync(scratch.path)).toEqual(['source'])
  })

  test('a run that fails leaves no half image when the image cannot be renamed', async ({ scratch }) => {
    const source = scratch.tree('source', three)
    const out = scratch.tree('out', {})
    const call = mkfatfs(source, `${out}/disk.img`, { onProgress: () => rmSync(out, { recursive: true, force: true }) })
    await expect(call).rejects.toMatchObject({
      code: 'WRITE_FAILED',
      shortMessage: expect.stringContaining(`Could not write "${out}/disk.img": ENOENT`),
    })
  })
})

describe('reproducible', () => {
  const files = { 'b.txt': 'two', 'a/long file name.text': 'one', 'a/empty/': '' }
  const digest = (path: string) => createHash('sha256').update(readFileSync(path)).digest('hex')

  test('the same tree and `timestamps` give the same bytes at any time and in any time zone', async ({ scratch }) => {
    const options = { timestamps: 1_700_000_000_000, label: 'SAME', partitionTable: 'gpt' } as const
    await mkfatfs(scratch.tree('one', files), scratch.at('one.img'), options)
    await mkfatfs(
      scratch.tree('two', Object.fromEntries(Object.entries(files).toReversed())),
      scratch.at('two.img'),
      options,
    )
    expect(digest(scratch.at('two.img'))).toBe(digest(scratch.at('one.img')))

    const before = process.env['TZ']
    process.env['TZ'] = 'Asia/Tokyo'
    try {
      expect(new Date(0).getHours()).toBe(9)
      await mkfatfs(scratch.at('one'), scratch.at('three.img'), options)
    } finally {
      if (before === undefined) delete process.env['TZ']
      else process.env['TZ'] = before
    }
    expect(digest(scratch.at('three.img'))).toBe(digest(scratch.at('one.img')))
  })

  test('the serial number depends on times, names and the label', async ({ scratch }) => {
    const ids = new Set<string>()
    const image = scratch.at('disk.img')
    const make = async (tree: string, options: object) => {
      await mkfatfs(tree, image, { timestamps: 1_700_000_000_000, ...options })
      await using read = await readFatImage(image)
      ids.add(read.volumeId)
    }
    await make(scratch.tree('one', files), {})
    await make(scratch.tree('one', files), { timestamps: 1_700_000_002_000 })
    await make(scratch.tree('one', files), { label: 'OTHER' })
    await make(scratch.tree('two', { ...files, 'c.txt': '' }), {})
    expect(ids.size).toBe(4)
  })

  test('modification times are kept, to two seconds, without `timestamps`', async ({ scratch }) => {
    const source = scratch.tree('source', { 'd/f': 'x' })
    utimesSync(`${source}/d/f`, 0, Date.UTC(2001, 1, 3, 4, 5, 7) / 1000)
    utimesSync(`${source}/d`, 0, Date.UTC(1975, 0, 1) / 1000)
    await mkfatfs(source, scratch.at('disk.img'))
    await using image = await readFatImage(scratch.at('disk.img'))
    expect((await image.list()).map(({ path, modified }) => [path, modified?.toISOString()])).toEqual([
      ['d', '1980-01-01T00:00:00.000Z'],
      ['d/f', '2001-02-03T04:05:06.000Z'],
    ])
  })
})

describe('sizes', () => {
  test('an empty directory results in the smallest volume', async ({ scratch }) => {
    const made = await mkfatfs(scratch.tree('source', {}), scratch.at('disk.img'))
    expect(made).toMatchObject({ type: 'fat12', size: 65_536, files: 0, directories: 0 })
    await fsck(scratch.at('disk.img'))
  })

  test('the image has the given size, with any partition table', async ({ scratch }) => {
    const source = scratch.tree('source', { file: 'x' })
    for (const partitionTable of ['none', 'mbr', 'gpt', 'hybrid'] as const) {
      await mkfatfs(source, scratch.at('disk.img'), { partitionTable, size: '48M' })
      expect(statSync(scratch.at('disk.img')).size).toBe(48 * 2 ** 20)
    }
  })

  test('stores ten thousand files in the root directory', { timeout: 60_000 }, async ({ scratch }) => {
    const names = Array.from({ length: 10_000 }, (_, index) => `file number ${index}.text`)
    const source = scratch.tree('source', Object.fromEntries(names.map((name) => [name, name])))
    const made = await mkfatfs(source, scratch.at('disk.img'))
    expect(made).toMatchObject({ files: 10_000, bytes: names.join('').length })
    await fsck(scratch.at('disk.img'))
    await using image = await readFatImage(scratch.at('disk.img'))
    expect((await image.list()).map(({ path }) => path)).toEqual(names.toSorted())
    expect(String(await image.readFile('file number 9999.text'))).toBe('file number 9999.text')
  })

  test('refuses a directory with more slots than FAT allows', { timeout: 60_000 }, async ({ scratch }) => {
    const tail = 'x'.repeat(240)
    const files = Object.fromEntries(Array.from({ length: 3300 }, (_, index) => [`sub/${index} ${tail}`, '']))
    await expect(mkfatfs(scratch.tree('source', files), scratch.at('disk.img'))).rejects.toMatchObject({
      code: 'DIRECTORY_TOO_LARGE',
      offenders: [expect.stringMatching(/^sub \(6\d,\d{3} slots\)$/)],
    })
  })

  test('holes in files of the source are holes in the image', async ({ scratch }) => {
    const source = scratch.tree('source', { sparse: '' })
    truncateSync(`${source}/sparse`, 200 * 2 ** 20)
    await mkfatfs(source, scratch.at('disk.img'))
    const { size, blocks } = statSync(scratch.at('disk.img'))
    expect(size).toBeGreaterThan(200 * 2 ** 20)
    expect(blocks * 512).toBeLessThan(2 ** 20)
    await fsck(scratch.at('disk.img'))
  })

  test('memory does not grow with the size of the files', { timeout: 60_000 }, async ({ scratch }) => {
    const source = scratch.tree('source', { large: '' })
    const script = `
      const { mkfatfs } = await import(process.argv[1])
      await mkfatfs(process.argv[2], process.argv[3])
      console.log(process.resourceUsage().maxRSS)`
    const peak = (bytes: number) => {
      truncateSync(`${source}/large`, bytes)
      const args = ['--input-type=module', '-e', script, String(built), source, scratch.at('disk.img')]
      return Number(execFileSync(process.execPath, args, { encoding: 'utf8' })) * 1024
    }
    const small = peak(2 ** 24)
    expect(small).toBeGreaterThan(2 ** 24)
    expect(peak(2 ** 29) - small).toBeLessThan(2 ** 25)
  })
})
