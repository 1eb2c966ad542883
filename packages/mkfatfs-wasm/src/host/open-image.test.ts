import { createHash } from 'node:crypto'
import fs, {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { describe, expect, vi } from 'vitest'
import { type Scratch, test } from '../../test/scratch.ts'
import { tool } from '../../test/tools.ts'
import { readFatImage } from '../index.ts'
import { ImageDescriptor } from './image-descriptor.ts'
import { mkfatfs } from './mkfatfs.ts'

const files = {
  'README.TXT': 'upper',
  'notes.txt': 'lower',
  'Long file name.text': 'long',
  'dir/sub/déjà vu.txt': 'unicode',
  'dir/large.bin': Buffer.alloc(300_000, 'pattern'),
  'empty/': '',
  zero: '',
}
const listed = [
  ['Long file name.text', 4],
  ['README.TXT', 5],
  ['dir', 0],
  ['dir/large.bin', 300_000],
  ['dir/sub', 0],
  ['dir/sub/déjà vu.txt', 7],
  ['empty', 0],
  ['notes.txt', 5],
  ['zero', 0],
]

describe('images of mkfs.fat and mcopy', () => {
  test.for([
    ['FAT12', ['-F', '12'], '2M', 0],
    ['FAT16', ['-F', '16'], '20M', 0],
    ['FAT32', ['-F', '32'], '40M', 0],
    ['one FAT', ['-f', '1'], '2M', 0],
    ['sectors of 4096 bytes', ['-S', '4096'], '40M', 0],
    ['large clusters', ['-F', '16', '-s', '64'], '200M', 0],
    ['in a partition of an MBR', ['-F', '16', '--offset', '2048'], '20M', 'mbr'],
    ['in a partition of a GPT', ['-F', '32', '--offset', '2048'], '40M', 'gpt'],
  ] as const)('%s', async ([, args, size, partition], { scratch }) => {
    const source = scratch.tree('source', files)
    const image = scratch.at('disk.img')
    const offset = partition === 0 ? 0 : 2 ** 20
    // The partition table comes from an image of mkfatfs, and the volume in it is formatted again.
    if (partition === 0) await tool('truncate', '-s', size, image)
    else await mkfatfs(scratch.tree('none', {}), image, { partitionTable: partition, size })
    const blocks = offset === 0 ? [] : [String((statSync(image).size - offset) / 1024 - 64)]
    await tool('mkfs.fat', ...args, '-n', 'THEIRS', '-i', '12ab34cd', image, ...blocks)
    const entries = readdirSync(source).map((name) => `${source}/${name}`)
    await tool('mcopy', '-s', '-m', '-i', `${image}@@${offset}`, ...entries, '::/')

    await using read = await readFatImage(image)
    expect(read).toMatchObject({
      label: 'THEIRS',
      volumeId: '12AB-34CD',
      volumeOffset: offset,
      partitionTable: partition || 'none',
    })
    expect((await read.list()).map((entry) => [entry.path, entry.size])).toEqual(listed)
    await read.extract(scratch.at('out'))
    for (const [path, contents] of Object.entries(files)) {
      if (!path.endsWith('/')) expect(readFileSync(scratch.at('out', path)).equals(Buffer.from(contents))).toBe(true)
    }
  })

  test.for([
    ['mbr', 4096],
    ['gpt', 4096],
    ['gpt', 2048],
  ] as const)('in a partition of a disk with a %s and blocks of %i bytes', async ([table, block], { scratch }) => {
    const image = scratch.at('disk.img')
    const start = 256
    await tool('truncate', '-s', '20M', image)
    await tool('mkfs.fat', '-S', String(block), '-n', 'THEIRS', '-C', scratch.at('volume.img'), '16384')
    writeFileSync(scratch.at('file'), 'x')
    await tool('mcopy', '-i', scratch.at('volume.img'), scratch.at('file'), '::/FILE')
    const bytes = readFileSync(image)
    readFileSync(scratch.at('volume.img')).copy(bytes, start * block)
    bytes.writeUInt16LE(0xaa55, 510)
    bytes.writeUInt8(table === 'mbr' ? 0x06 : 0xee, 446 + 4)
    bytes.writeUInt32LE(table === 'mbr' ? start : 1, 446 + 8)
    bytes.writeUInt32LE((16 * 2 ** 20) / block, 446 + 12)
    if (table === 'gpt') {
      bytes.write('EFI PART', block, 'latin1')
      bytes.writeBigUInt64LE(2n, block + 72)
      bytes.writeUInt32LE(128, block + 80)
      bytes.writeUInt32LE(128, block + 84)
      Buffer.from('a2a0d0ebe5b9334487c068b6b72699c7', 'hex').copy(bytes, 2 * block)
      bytes.writeBigUInt64LE(BigInt(start), 2 * block + 32)
    }
    writeFileSync(image, bytes)

    await using read = await readFatImage(image)
    expect(read).toMatchObject({ label: 'THEIRS', partitionTable: table, volumeOffset: start * block })
    expect((await read.list()).map(({ path }) => path)).toEqual(['FILE'])
  })

  test('a floppy of mformat, with attributes', async ({ scratch }) => {
    const image = scratch.at('floppy.img')
    await tool('mformat', '-C', '-f', '1440', '-v', 'FLOPPY', '-i', image)
    writeFileSync(scratch.at('file'), 'x')
    await tool('mcopy', '-i', image, scratch.at('file'), '::/HIDDEN.SYS')
    await tool('mattrib', '+h', '+s', '+r', '-i', image, '::/HIDDEN.SYS')
    await using read = await readFatImage(image)
    expect(read).toMatchObject({ type: 'fat12', label: 'FLOPPY', partitionTable: 'none' })
    expect(await read.list()).toMatchObject([{ path: 'HIDDEN.SYS', isReadOnly: true, isHidden: true, isSystem: true }])
  })
})

describe('reading', () => {
  test('a file by its path in any case', async ({ scratch }) => {
    await mkfatfs(scratch.tree('source', files), scratch.at('disk.img'))
    await using image = await readFatImage(scratch.at('disk.img'))
    expect(String(await image.readFile('DIR/sub/DÉJÀ VU.txt'))).toBe('unicode')
    expect(await image.readFile('dir/large.bin')).toEqual(files['dir/large.bin'])
    expect(await image.readFile('zero')).toEqual(Buffer.alloc(0))
  })

  test('refuses a missing path and a directory', async ({ scratch }) => {
    await mkfatfs(scratch.tree('source', files), scratch.at('disk.img'))
    await using image = await readFatImage(scratch.at('disk.img'))
    for (const path of ['nothing', 'dir/nothing', 'no/dir', 'dir', 'notes.txt/x', 'what?']) {
      await expect(image.readFile(path)).rejects.toMatchObject({
        code: 'NOT_IN_IMAGE',
        offenders: [expect.stringContaining(path)],
      })
    }
  })

  test('extracting keeps modification times and does not change the image', async ({ scratch }) => {
    const image = scratch.at('disk.img')
    await mkfatfs(scratch.tree('source', files), image, { timestamps: Date.UTC(2010, 4, 6, 7, 8, 10) })
    const digest = () => createHash('sha256').update(readFileSync(image)).digest('hex')
    const before = digest()
    await using read = await readFatImage(image)
    await read.extract(scratch.at('out', 'new'))
    for (const path of ['notes.txt', 'dir', 'dir/sub', 'empty']) {
      expect(statSync(scratch.at('out', 'new', path)).mtime.toISOString()).toBe('2010-05-06T07:08:10.000Z')
    }
    expect(digest()).toBe(before)
  })

  test('refuses to extract into a directory that is not empty', async ({ scratch }) => {
    await mkfatfs(scratch.tree('source', files), scratch.at('disk.img'))
    await using image = await readFatImage(scratch.at('disk.img'))
    const target = scratch.tree('target', { mine: 'kept' })
    await expect(image.extract(target)).rejects.toMatchObject({ code: 'TARGET_NOT_EMPTY' })
    expect(readdirSync(target)).toEqual(['mine'])
  })

  test.for(['futimesSync', 'utimesSync', 'closeSync'] as const)(
    'reports a failure of %s',
    async (call, { scratch }) => {
      const image = scratch.at('disk.img')
      await mkfatfs(scratch.tree('source', { 'dir/file': 'text' }), image)
      await using read = await readFatImage(image)
      const failing = vi.spyOn(fs, call).mockImplementationOnce(() => {
        throw Object.assign(new Error('EPERM: operation not permitted'), { code: 'EPERM', syscall: call })
      })
      syncBuiltinESMExports()
      try {
        await expect(read.extract(scratch.at('out'))).rejects.toMatchObject({ code: 'WRITE_FAILED' })
      } finally {
        failing.mockRestore()
        syncBuiltinESMExports()
      }
    },
  )

  test('reports an image that cannot be read any more', ({ scratch }) => {
    const image = new ImageDescriptor(`${scratch.tree('source', { 'disk.img': 'text' })}/disk.img`)
    image.close()
    expect(() => image.read(new Uint8Array(4), 0)).toThrow(expect.objectContaining({ code: 'READ_FAILED' }))
  })

  test('extracting can be aborted and reports its progress', async ({ scratch }) => {
    const source = scratch.tree('source', { large: Buffer.alloc(9_000_000, 1) })
    await mkfatfs(source, scratch.at('disk.img'))
    await using image = await readFatImage(scratch.at('disk.img'))
    const reported: number[] = []
    await image.extract(scratch.at('one'), { onProgress: ({ bytes, totalBytes }) => reported.push(bytes / totalBytes) })
    expect(reported.length).toBeGreaterThan(2)
    expect(reported.at(-1)).toBe(1)
    const controller = new AbortController()
    const reason = new Error('stopped')
    const onProgress = (): void => controller.abort(reason)
    const call = image.extract(scratch.at('two'), { signal: controller.signal, onProgress })
    await expect(call).rejects.toBe(reason)
  })

  test('a partition is chosen by its number', async ({ scratch }) => {
    await mkfatfs(scratch.tree('source', files), scratch.at('disk.img'), { partitionTable: 'gpt' })
    await using image = await readFatImage(scratch.at('disk.img'), { partition: 1 })
    expect(image.volumeOffset).toBe(2 ** 20)
    await expect(readFatImage(scratch.at('disk.img'), { partition: 2 })).rejects.toMatchObject({
      code: 'NOT_A_FAT_IMAGE',
    })
  })

  test('closing twice does nothing', async ({ scratch }) => {
    await mkfatfs(scratch.tree('source', files), scratch.at('disk.img'))
    const image = await readFatImage(scratch.at('disk.img'))
    await image.close()
    await image.close()
  })
})

describe('entries that other systems write', () => {
  test.for([
    ['a colon', ':'],
    ['a quotation mark', '"'],
    ['a DEL', '\x7f'],
    ['a control character', '\x01'],
    ['a trailing dot', '.'],
  ] as const)('lists, reads and extracts a name with %s', async ([, character], { scratch }) => {
    const image = withUnitsChanged(scratch.at('disk.img'), 'oddX', `odd${character}`, () =>
      mkfatfs(
        scratch.tree('source', { 'oddX/oddX file.text': 'below', 'dir/oddX': 'at the end', odd: 'decoy' }),
        scratch.at('disk.img'),
      ),
    )
    await using read = await readFatImage(await image)
    const [directory, file] = [`odd${character}`, `odd${character} file.text`]
    expect((await read.list()).map(({ path }) => path)).toEqual(
      ['dir', `dir/${directory}`, 'odd', directory, `${directory}/${file}`].toSorted(),
    )
    expect(String(await read.readFile(`${directory}/${file}`))).toBe('below')
    expect(String(await read.readFile(`DIR/${directory}`))).toBe('at the end')
    await expect(read.readFile(`dir/${directory}?`)).rejects.toMatchObject({ code: 'NOT_IN_IMAGE' })
    await read.extract(scratch.at('out'))
    expect(readFileSync(scratch.at('out', directory, file), 'utf8')).toBe('below')
    expect(readFileSync(scratch.at('out', 'odd'), 'utf8')).toBe('decoy')
  })

  test('extracts all other entries when the host refuses some, then names those', async ({ scratch }) => {
    // 100 characters of three bytes each are 300 bytes, and hosts allow 255.
    const name = 'xyz'.repeat(34).slice(0, 100)
    await mkfatfs(
      scratch.tree('source', { [`${name}/below`]: '', [`a/${name}`]: 'x', 'z.txt': 'last' }),
      scratch.at('disk.img'),
    )
    const bytes = readFileSync(scratch.at('disk.img'))
    for (let slot = 0; slot < bytes.length; slot += 32) {
      if (bytes[slot + 11] !== 0x0f) continue
      for (const unit of [1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30]) {
        if ('xyz'.includes(String.fromCharCode(bytes.readUInt16LE(slot + unit))))
          bytes.writeUInt16LE(0xff8a, slot + unit)
      }
    }
    writeFileSync(scratch.at('disk.img'), bytes)
    const long = '\uff8a'.repeat(100)

    await using read = await readFatImage(scratch.at('disk.img'))
    await expect(read.extract(scratch.at('out'))).rejects.toMatchObject({
      code: 'EXTRACT_INCOMPLETE',
      offenders: [
        `a/${long} (ENAMETOOLONG)`,
        `${long} (ENAMETOOLONG)`,
        `${long}/below (its directory could not be written)`,
      ],
    })
    expect(readdirSync(scratch.at('out')).toSorted()).toEqual(['a', 'z.txt'])
    expect(String(await read.readFile(`a/${long}`))).toBe('x')
  })

  test('extracts all other files of an image that was cut short', async ({ scratch }) => {
    await mkfatfs(scratch.tree('source', files), scratch.at('disk.img'))
    truncateSync(scratch.at('disk.img'), 100_000)
    await using read = await readFatImage(scratch.at('disk.img'))
    await expect(read.extract(scratch.at('out'))).rejects.toMatchObject({
      code: 'EXTRACT_INCOMPLETE',
      offenders: [
        expect.stringMatching(/^dir\/large\.bin \(.*it lies outside of the image\)$/),
        expect.stringMatching(/^dir\/sub\/déjà vu\.txt \(/),
      ],
    })
    expect(readFileSync(scratch.at('out', 'notes.txt'), 'utf8')).toBe('lower')
    expect(readdirSync(scratch.at('out', 'dir'))).toEqual(['sub'])
  })

  test.for([
    ['zero', 0],
    ['month 0', (44 << 9) | 1],
    ['month 15', (44 << 9) | (15 << 5) | 1],
  ] as const)('a date of %s is undefined', async ([, date], { scratch }) => {
    const image = await withSlotChanged(scratch, 'EVIL       ', (slot) => slot.writeUInt16LE(date, 24))
    await using read = await readFatImage(image)
    const [entry] = await read.list()
    expect(entry).toMatchObject({ path: 'EVIL', modified: undefined })
    const before = Math.floor(Date.now() / 1000) * 1000
    await read.extract(scratch.at('out'))
    expect(statSync(scratch.at('out', 'EVIL')).mtimeMs).toBeGreaterThanOrEqual(before)
  })
})

describe('an image that is damaged or has no FAT volume is refused', () => {
  test.for([
    ['missing', undefined, 'READ_FAILED'],
    ['empty', '', 'NOT_A_FAT_IMAGE'],
    ['text', 'not an image '.repeat(1000), 'NOT_A_FAT_IMAGE'],
    ['zeros', Buffer.alloc(100_000), 'NOT_A_FAT_IMAGE'],
  ] as const)('a file that is %s', async ([, contents, code], { scratch }) => {
    if (contents !== undefined) writeFileSync(scratch.at('disk.img'), contents)
    await expect(readFatImage(scratch.at('disk.img'))).rejects.toMatchObject({ code })
  })

  test('a directory', async ({ scratch }) => {
    await expect(readFatImage(scratch.path)).rejects.toMatchObject({ code: 'READ_FAILED' })
  })

  test.for([
    [{ partition: 0 }, '`partition` is 0'],
    [{ codePage: 1252 }, '`codePage` is 1252'],
  ] as const)('options %o', async ([options, words], { scratch }) => {
    await mkfatfs(scratch.tree('source', {}), scratch.at('disk.img'))
    const call = readFatImage(scratch.at('disk.img'), options)
    await expect(call).rejects.toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(words) })
  })

  test('an image that was cut short', async ({ scratch }) => {
    await mkfatfs(scratch.tree('source', files), scratch.at('disk.img'))
    truncateSync(scratch.at('disk.img'), 100_000)
    await using image = await readFatImage(scratch.at('disk.img'))
    await expect(image.readFile('dir/large.bin')).rejects.toMatchObject({
      code: 'IMAGE_DAMAGED',
      shortMessage: expect.stringContaining('it lies outside of the image'),
    })
  })

  test('a directory that contains itself', async ({ scratch }) => {
    const image = await withSlotChanged(scratch, 'LOOP       ', (slot) => slot.writeUInt16LE(LOOP_PARENT, 26))
    await using read = await readFatImage(image)
    await expect(read.list()).rejects.toMatchObject({
      code: 'IMAGE_DAMAGED',
      message: expect.stringContaining('in a circle'),
    })
  })

  test('a name that leads out of the directory', async ({ scratch }) => {
    const image = await withSlotChanged(scratch, 'EVIL       ', (slot) => slot.write('A/B', 0, 'latin1'))
    await using read = await readFatImage(image)
    await expect(read.extract(scratch.at('out'))).rejects.toMatchObject({
      code: 'IMAGE_DAMAGED',
      offenders: [expect.stringContaining('A/B')],
    })
    expect(readdirSync(scratch.path)).not.toContain('out')
  })
})

/** The cluster of the first directory of the tree below. */
const LOOP_PARENT = 2

/** Makes an image, and changes the slot with this short name. */
async function withSlotChanged(scratch: Scratch, name: string, change: (slot: Buffer) => void): Promise<string> {
  const image = scratch.at('disk.img')
  await mkfatfs(scratch.tree('source', { 'PARENT/LOOP/FILE': 'x', EVIL: 'x' }), image)
  const at = readFileSync(image).indexOf(name, 0, 'latin1')
  const slot = readFileSync(image).subarray(at, at + 32)
  change(slot)
  const file = openSync(image, 'r+')
  writeSync(file, slot, 0, slot.length, at)
  closeSync(file)
  return image
}

/** Makes an image, then replaces text in its long names, which are stored as UTF-16. */
async function withUnitsChanged(
  image: string,
  from: string,
  to: string,
  make: () => Promise<unknown>,
): Promise<string> {
  await make()
  const bytes = readFileSync(image)
  const [old, replacement] = [Buffer.from(from, 'utf16le'), Buffer.from(to, 'utf16le')]
  for (let at = bytes.indexOf(old); at >= 0; at = bytes.indexOf(old, at + 1)) replacement.copy(bytes, at)
  writeFileSync(image, bytes)
  return image
}
