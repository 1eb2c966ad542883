import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readdirSync, readFileSync, truncateSync, watch, writeFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { test } from '../../test/scratch.ts'
import { readFatImage } from '../index.ts'
import { runCommandLine, type Streams } from './run-command-line.ts'

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** Runs the command in this process. */
async function run(...args: readonly string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const texts = Promise.all([stdout, stderr].map((stream) => text(stream)))
  const streams = { stdout, stderr } as unknown as Streams
  const exitCode = await runCommandLine(args, streams)
  for (const stream of [stdout, stderr]) stream.end()
  const [printed = '', complained = ''] = await texts
  return { stdout: printed, stderr: complained, exitCode }
}

/** Runs the built command in a separate process. */
async function runBuilt(...args: readonly string[]) {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, exitCode: exitCode as number | null }
}

test('makes, lists and extracts', async ({ scratch }) => {
  const source = scratch.tree('source', { 'EFI/BOOT/BOOTX64.EFI': 'code', 'note.txt': 'hello' })
  const image = scratch.at('esp.img')
  expect(
    await runBuilt(
      source,
      image,
      '--label',
      'ESP',
      '--partition-table',
      'gpt',
      '--partition-type',
      'efi',
      '--timestamps',
      '1700000000',
    ),
  ).toEqual({
    stdout: `${image}: FAT12, 1.1 MiB (1,131,008 bytes), 2 files, 2 directories\n`,
    stderr: '',
    exitCode: 0,
  })
  expect(await runBuilt('--list', image)).toEqual({
    stdout: [
      '         0  2023-11-14 22:13:20  EFI/',
      '         0  2023-11-14 22:13:20  EFI/BOOT/',
      '         4  2023-11-14 22:13:20  EFI/BOOT/BOOTX64.EFI',
      '         5  2023-11-14 22:13:20  note.txt',
      '',
    ].join('\n'),
    stderr: '',
    exitCode: 0,
  })
  expect(await runBuilt('--extract', image, scratch.at('out'))).toEqual({ stdout: '', stderr: '', exitCode: 0 })
  expect(readFileSync(scratch.at('out', 'EFI', 'BOOT', 'BOOTX64.EFI'), 'utf8')).toBe('code')
})

test('reports as JSON', async ({ scratch }) => {
  const source = scratch.tree('source', { 'a.txt': 'one' })
  const image = scratch.at('disk.img')
  const made = await run(source, image, '--json', '--timestamps', '1700000000', '--label', 'ONE')
  expect(JSON.parse(made.stdout)).toMatchObject({
    image,
    type: 'fat12',
    size: 65_536,
    files: 1,
    volumes: [{ label: 'ONE', offset: 0, clusterSize: 512 }],
  })
  const listed = await run('--list', image, '--json')
  expect(JSON.parse(listed.stdout)).toMatchObject({
    type: 'fat12',
    partitionTable: 'none',
    entries: [{ path: 'a.txt', kind: 'file', size: 3, modified: '2023-11-14T22:13:20.000Z' }],
  })
  const failed = await run(scratch.tree('bad', { 'a?': '' }), image, '--json')
  expect(failed).toMatchObject({ stderr: '', exitCode: 1 })
  expect(JSON.parse(failed.stdout)).toEqual({
    error: {
      code: 'NAME_INVALID',
      message: '1 name cannot be stored.',
      hint: 'Rename these: FAT cannot store their names.',
      offenders: ['a? (reserved character ?)'],
    },
  })
})

test('makes an image for ESP-IDF', async ({ scratch }) => {
  const image = scratch.at('flash.img')
  const source = scratch.tree('source', { 'a.txt': 'one' })
  const options = ['--profile', 'esp-idf', '--wear-levelling', '--size', '1M', '--fats', '1', '--root-entries', '256']
  expect(await run(source, image, ...options)).toMatchObject({ stderr: '', exitCode: 0 })
  await using read = await readFatImage(image)
  expect(read).toMatchObject({ isWearLevelled: true, sectorSize: 4096, clusterSize: 4096 })
})

test('adds, renames and removes', { timeout: 120_000 }, async ({ scratch }) => {
  const image = scratch.at('disk.img')
  const source = scratch.tree('source', { 'a.txt': 'one', 'b.txt': 'two' })
  await run(source, image, '--size', '1M')
  const quiet = { stdout: '', stderr: '', exitCode: 0 }
  expect(await run('--add', image, `${source}/a.txt`, 'dir/copy.txt')).toEqual(quiet)
  expect(await run('--add', image, `${source}/b.txt`)).toEqual(quiet)
  expect(await run('--rename', image, 'a.txt', 'dir/moved.txt')).toEqual(quiet)
  expect(await run('--remove', image, 'b.txt')).toEqual(quiet)
  await using read = await readFatImage(image)
  expect((await read.list()).map(({ path }) => path)).toEqual(['dir', 'dir/copy.txt', 'dir/moved.txt'])
  expect(await run('--remove', image, 'b.txt')).toMatchObject({
    stderr: expect.stringContaining('"b.txt" is not in the image.'),
    exitCode: 1,
  })
})

test('makes several partitions from a layout file, with paths relative to it', async ({ scratch }) => {
  scratch.tree('layout', { 'esp/EFI/BOOT/BOOTX64.EFI': 'code', 'data/notes.txt': 'notes' })
  writeFileSync(
    scratch.at('layout', 'layout.json'),
    JSON.stringify({
      partitions: [
        { directory: 'esp', label: 'EFI', partitionType: 'efi', size: '4M' },
        { directory: 'data', label: 'DATA' },
      ],
    }),
  )
  const image = scratch.at('disk.img')
  expect(await run('--layout', scratch.at('layout', 'layout.json'), image)).toMatchObject({
    stdout: expect.stringMatching(/disk\.img: 2 volumes, .*, 2 files, 2 directories\n$/),
    exitCode: 0,
  })
  await using data = await readFatImage(image, { partition: 2 })
  expect(data.label).toBe('DATA')
  expect(String(await data.readFile('notes.txt'))).toBe('notes')
})

test('keeps values that look like numbers as text', async ({ scratch }) => {
  const image = scratch.at('007')
  await run(
    scratch.tree('1e3', {}),
    image,
    '--label',
    '0010',
    '--type',
    'FAT16',
    '--timestamps',
    '2020-02-02T02:02:02Z',
  )
  await using read = await readFatImage(image)
  expect(read).toMatchObject({ label: '0010', type: 'fat16' })
})

test('shows help and version', async () => {
  const help = await runBuilt('--help')
  expect(help).toMatchObject({ exitCode: 0, stderr: '' })
  for (const option of ['DIR', 'IMAGE', '--label', '--size', '--timestamps', '--list', '--extract'])
    expect(help.stdout).toContain(option)
  expect(help.stdout).not.toMatch(/\x1b/)
  expect((await run('--version')).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
})

test.for([
  ['nothing', [], 'DIR and IMAGE are needed'],
  ['one argument', ['dir'], 'DIR and IMAGE are needed'],
  ['three arguments', ['dir', 'image', 'more'], 'DIR and IMAGE are needed'],
  ['a misspelt option', ['dir', 'image', '--lable', 'X'], 'Unknown option --lable. Known are --label,'],
  ['an unknown letter', ['dir', 'image', '-x'], 'Unknown option --x'],
  ['no value', ['dir', 'image', '--label'], '--label needs a value'],
  ['an empty value', ['dir', 'image', '--size='], '--size needs a value'],
  ['a negated value', ['dir', 'image', '--no-label'], '--label needs a value'],
  ['no time', ['dir', 'image', '--timestamps', 'noon'], '--timestamps is "noon"'],
  ['--list and more', ['--list', 'image', 'dir'], '--list takes an image and nothing else'],
  ['--list and --extract', ['--list', 'image', '--extract', 'image'], 'exclude each other'],
  ['--remove without PATH', ['--remove', 'image'], '--remove takes an image and each PATH'],
  ['--rename with one path', ['--rename', 'image', 'a'], '--rename takes an image, FROM and TO'],
  ['--add without a file', ['--add', 'image'], '--add takes an image, FILE and PATH'],
  ['--layout without IMAGE', ['--layout', 'layout.json'], '--layout takes a file and IMAGE'],
  ['a bad number of FATs', ['dir', 'image', '--timestamps', 'x'], '--timestamps is "x"'],
  ['--extract without DIR', ['--extract', 'image'], '--extract takes an image and DIR'],
  ['--list and --label', ['--list', 'image', '--label', 'X'], '--label is for making an image from DIR'],
] as const)('exits with 2 for %s', async ([, args, words]) => {
  const { stdout, stderr, exitCode } = await run(...args)
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 })
  expect(stderr).toContain(`mkfatfs-wasm: ${words}`.replace(/.*: exclude/, 'exclude'))
})

test('reports a failure with its code and its offenders, and exits with 1', async ({ scratch }) => {
  const source = scratch.tree('source', { 'a?\x1b[31m': '' })
  const { stderr, exitCode } = await runBuilt(source, scratch.at('disk.img'))
  expect(exitCode).toBe(1)
  expect(stderr).toContain('mkfatfs-wasm: 1 name cannot be stored.\n')
  expect(stderr).toContain('[NAME_INVALID]')
  // Names must not send escape sequences to the terminal.
  expect(stderr).not.toMatch(/\x1b/)
  expect(readdirSync(scratch.path)).toEqual(['source'])
})

test.for(['SIGINT', 'SIGTERM'] as const)('removes the unfinished image on %s', async (signal, { scratch }) => {
  const source = scratch.tree('source', { a: '', b: '', c: '' })
  for (const name of ['a', 'b', 'c']) truncateSync(`${source}/${name}`, 2 ** 32 - 1)
  const out = scratch.tree('out', {})
  const watcher = watch(out)
  const child = spawn(process.execPath, [command, source, `${out}/disk.img`], { stdio: 'ignore' })
  await once(watcher, 'change')
  watcher.close()
  child.kill(signal)
  expect(await once(child, 'close')).toEqual([signal === 'SIGINT' ? 130 : 143, null])
  expect(readdirSync(out)).toEqual([])
})

test('leaves the old image if it is interrupted while it changes a copy', async ({ scratch }) => {
  const source = scratch.tree('source', { 'a.txt': 'one' })
  const out = scratch.tree('out', {})
  await run(source, `${out}/disk.img`, '--size', '8G')
  const watcher = watch(out)
  const child = spawn(process.execPath, [command, '--remove', `${out}/disk.img`, 'a.txt'], { stdio: 'ignore' })
  await once(watcher, 'change')
  watcher.close()
  child.kill('SIGTERM')
  expect(await once(child, 'close')).toEqual([143, null])
  expect(readdirSync(out)).toEqual(['disk.img'])
  await using image = await readFatImage(`${out}/disk.img`)
  expect((await image.list()).map(({ path }) => path)).toEqual(['a.txt'])
})

test.runIf(process.platform === 'linux')('prints why its output could not be written, and exits with 1', async () => {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [command, '--help'], { stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  const errors = child.stderr ?? expect.unreachable()
  const [stderr, [exitCode]] = await Promise.all([text(errors), once(child, 'close')])
  expect({ stderr, exitCode }).toEqual({
    stderr: expect.stringMatching(/^mkfatfs-wasm: .*ENOSPC.*\n$/) as string,
    exitCode: 1,
  })
})

test('exits with 0 when its output is closed early', async ({ scratch }) => {
  const files = Object.fromEntries(
    Array.from({ length: 3000 }, (_, index) => [`a rather long file name ${index}.text`, '']),
  )
  await run(scratch.tree('source', files), scratch.at('disk.img'))
  const child = spawn(process.execPath, [command, '--list', scratch.at('disk.img')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stdout.destroy()
  const [stderr, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'close')])
  expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 })
})
