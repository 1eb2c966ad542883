import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type GuestFile, type GuestFiles, readGuestFiles } from './guest-files.ts'

const refused = (message: string | RegExp) =>
  expect.objectContaining({ code: 'INVALID_OPTION', shortMessage: expect.stringMatching(message) })

describe('contents', () => {
  test('creates files from text and bytes', async () => {
    expect(await readGuestFiles({ '/etc/motd': 'hello\n', '/opt/x.bin': new Uint8Array([1, 2]) })).toEqual([
      { type: 'file', path: 'etc/motd', mode: 0o644, data: Buffer.from('hello\n') },
      { type: 'file', path: 'opt/x.bin', mode: 0o644, data: new Uint8Array([1, 2]) },
    ])
  })

  test('makes a script executable unless a mode is given', async () => {
    const entries = await readGuestFiles({
      '/opt/run': '#!/bin/sh\n',
      '/opt/secret': { content: '#!', mode: 0o400 },
    })
    expect(entries.map((entry) => 'mode' in entry && entry.mode)).toEqual([0o755, 0o400])
  })

  test('keeps the target of a link', async () => {
    expect(await readGuestFiles({ '/opt/current': { link: '../v1' } })).toEqual([
      { type: 'symlink', path: 'opt/current', target: '../v1' },
    ])
  })

  test('moves programs of /sbin, /usr/bin and /usr/sbin to /bin', async () => {
    const paths = ['/bin/a', '/sbin/b', '/usr/bin/c', '/usr/sbin/d', '/usr/share/e', '/binary']
    const entries = await readGuestFiles(Object.fromEntries(paths.map((path) => [path, ''])))
    expect(entries.map(({ path }) => path)).toEqual(['bin/a', 'bin/b', 'bin/c', 'bin/d', 'usr/share/e', 'binary'])
  })
})

describe('sources', () => {
  test('keeps only the executable bit of a host file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'guest-files-'))
    await writeFile(join(directory, 'tool'), 'x')
    await chmod(join(directory, 'tool'), 0o700)
    await writeFile(join(directory, 'data'), 'y')
    await chmod(join(directory, 'data'), 0o600)
    const files = { '/opt/tool': { source: join(directory, 'tool') }, '/opt/data': { source: join(directory, 'data') } }
    expect(await readGuestFiles(files)).toMatchObject([
      { path: 'opt/tool', mode: 0o755 },
      { path: 'opt/data', mode: 0o644 },
    ])
  })

  test('copies a directory with its content, sorted by name, and keeps links', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'guest-files-'))
    await mkdir(join(directory, 'sub'))
    await writeFile(join(directory, 'sub', 'b'), 'b')
    await writeFile(join(directory, 'a'), 'a')
    await symlink('sub/b', join(directory, 'z'))
    const entries = await readGuestFiles({ '/opt/tree': { source: directory } })
    expect(entries.map(({ type, path }) => [type, path])).toEqual([
      ['directory', 'opt/tree'],
      ['file', 'opt/tree/a'],
      ['directory', 'opt/tree/sub'],
      ['file', 'opt/tree/sub/b'],
      ['symlink', 'opt/tree/z'],
    ])
  })

  test('refuses a socket in a directory and names it', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'guest-files-'))
    const server = createServer().listen(join(directory, 'socket'))
    await new Promise((listening) => server.once('listening', listening))
    await expect(readGuestFiles({ '/opt': { source: directory } })).rejects.toThrow(refused(/socket: it is neither/))
    server.close()
  })

  test('names a missing source', async () => {
    await expect(readGuestFiles({ '/opt/x': { source: '/does/not/exist' } })).rejects.toThrow(
      expect.objectContaining({ code: 'FILE_MISSING', shortMessage: expect.stringContaining('/does/not/exist') }),
    )
  })
})

describe('an invalid file', () => {
  test.each([
    ['etc/motd', /not absolute/],
    ['', /not absolute/],
    ['/', /empty name/],
    ['/opt//x', /empty name/],
    ['/opt/', /empty name/],
    ['/opt/../init', /"\.\."/],
    ['/./x', /"\."/],
    ['/opt/a\0b', /NUL/],
    [`/opt/${'x'.repeat(256)}`, /longer/],
    [`/opt${'/é'.repeat(2000)}`, /longer/],
    ['/tmp/x', /hidden: something else is mounted on \/tmp/],
    ['/proc', /hidden/],
    ['/dev/null', /hidden/],
    ['/init', /belongs to the guest/],
    ['/usr/bin/busybox', /belongs to the guest/],
    ['/etc/coldboot/boot', /belongs to the guest/],
  ])('the path %j', async (path, message) => {
    await expect(readGuestFiles({ [path]: 'x' })).rejects.toThrow(refused(message))
  })

  test.each([
    ['a number', 5],
    ['nothing', null],
    ['an object of another kind', { contents: 'x' }],
    ['an empty link', { link: '' }],
  ])('%s as a file', async (_, file) => {
    await expect(readGuestFiles({ '/opt/x': file as unknown as GuestFile })).rejects.toThrow(refused(/invalid value/))
  })

  test.each([0o10000, -1, 1.5])('the mode %d', async (mode) => {
    await expect(readGuestFiles({ '/opt/x': { content: '', mode } })).rejects.toThrow(refused(/mode/))
  })

  test('accepts no path that leads out of its directory', async () => {
    const hostile = fc.array(fc.constantFrom('/', '..', '.', 'a', '\\', ' ', "'", '\n', 'init', 'tmp'), {
      maxLength: 8,
    })
    await fc.assert(
      fc.asyncProperty(hostile, async (pieces) => {
        const files: GuestFiles = { [pieces.join('')]: 'x' }
        const [entry] = await readGuestFiles(files).catch(() => [])
        const segments = entry?.path.split('/') ?? []
        expect(segments.filter((name) => ['', '.', '..'].includes(name))).toEqual([])
        expect(['init', 'tmp', 'proc', 'sys', 'dev', 'run']).not.toContain(segments[0])
      }),
    )
  })
})
