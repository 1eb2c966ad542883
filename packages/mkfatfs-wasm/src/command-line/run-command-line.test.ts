import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, truncateSync, watch } from 'node:fs'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { test } from '../../test/scratch.ts'
import { readFatImage } from '../index.ts'

const command = fileURLToPath(new URL('../../dist/cli.js', import.meta.url))

/** Runs the built command. */
async function run(...args: string[]) {
  const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [exitCode]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { stdout, stderr, exitCode: exitCode as number | null }
}

test('makes, lists and extracts', async ({ scratch }) => {
  const source = scratch.tree('source', { 'EFI/BOOT/BOOTX64.EFI': 'code', 'note.txt': 'hello' })
  const image = scratch.at('esp.img')
  expect(
    await run(
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
  expect(await run('--list', image)).toEqual({
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
  expect(await run('--extract', image, scratch.at('out'))).toEqual({ stdout: '', stderr: '', exitCode: 0 })
  expect(readFileSync(scratch.at('out', 'EFI', 'BOOT', 'BOOTX64.EFI'), 'utf8')).toBe('code')
})

test('texts that look like numbers stay texts', async ({ scratch }) => {
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
  const help = await run('--help')
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
  ['--extract without DIR', ['--extract', 'image'], '--extract takes an image and DIR'],
  ['--list and --label', ['--list', 'image', '--label', 'X'], '--label is for making an image'],
] as const)('%s is wrong usage: exit code 2', async ([, args, words]) => {
  const { stdout, stderr, exitCode } = await run(...args)
  expect({ stdout, exitCode }).toEqual({ stdout: '', exitCode: 2 })
  expect(stderr).toContain(`mkfatfs-wasm: ${words}`.replace(/.*: exclude/, 'exclude'))
})

test('a failure is told with its code and its offenders: exit code 1', async ({ scratch }) => {
  const source = scratch.tree('source', { 'a?\x1b[31m': '' })
  const { stderr, exitCode } = await run(source, scratch.at('disk.img'))
  expect(exitCode).toBe(1)
  expect(stderr).toContain('mkfatfs-wasm: 1 name cannot be stored.\n')
  expect(stderr).toContain('[NAME_INVALID]')
  // A name must not steer the terminal.
  expect(stderr).not.toMatch(/\x1b/)
  expect(readdirSync(scratch.path)).toEqual(['source'])
})

test.for(['SIGINT', 'SIGTERM'] as const)('%s ends it, and nothing is left', async (signal, { scratch }) => {
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

test('a reader that leaves early is no failure', async ({ scratch }) => {
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
