import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { Cache } from '@coldboot/core/internal'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { makeDockerArchive, makeOciLayout, makeTar, type TarEntry } from '../../test/make-tar.ts'
import { findSource, type OpenedRoot, type OpenRequest, openRoot } from './open-root.ts'
import { readFileContent } from './read-file-content.ts'
import type { RootNode, RootTree } from './root-tree.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'open-root-'))
})
afterEach(() => rm(directory, { recursive: true }))

async function openPath(path: string, request: Partial<OpenRequest> = {}): Promise<OpenedRoot> {
  const { maxBytes = 2 ** 30 } = request
  const source = await findSource(path, maxBytes, new Cache(join(directory, 'cache')))
  const scratch = await mkdtemp(join(directory, 'scratch-'))
  return openRoot(source, { arch: undefined, hostArch: 'x86_64', image: undefined, maxBytes, scratch, ...request })
}
async function openBytes(bytes: Uint8Array, request: Partial<OpenRequest> = {}): Promise<OpenedRoot> {
  const path = join(directory, 'source')
  await writeFile(path, bytes)
  return openPath(path, request)
}
const openTar = async (entries: readonly TarEntry[]): Promise<OpenedRoot> => openBytes(await makeTar(entries))

function show(node: RootNode): string {
  if (node.type === 'symlink') return `-> ${node.target}`
  const owner = `${node.mode.toString(8)} ${node.uid}:${node.gid}`
  return 'major' in node ? `${node.type} ${owner} ${node.major}:${node.minor}` : `${node.type} ${owner}`
}
function listing(tree: RootTree): Record<string, string> {
  return Object.fromEntries([...tree.entries()].slice(1).map(([names, node]) => [names.join('/'), show(node)]))
}
async function contents(tree: RootTree): Promise<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const [names, node] of tree.entries()) {
    if (node.type === 'file') texts[names.join('/')] = Buffer.from(await readFileContent(node)).toString()
  }
  return texts
}
const refusal = (code: string, message: RegExp) =>
  expect.objectContaining({ code, shortMessage: expect.stringMatching(message) })

describe('an archive', () => {
  const entries: TarEntry[] = [
    ['./', { mode: 0o700 }],
    ['./etc/', { mode: 0o2755, uid: 5, gid: 6 }],
    ['./etc/shadow', 'secret', { mode: 0o4640, uid: 0, gid: 42 }],
    ['./etc/mtab', { type: 'symlink', linkname: '/proc/mounts' }],
    ['./etc/other', { type: 'link', linkname: './etc/shadow' }],
    ['./dev/null', { type: 'character-device', mode: 0o666, devmajor: 1, devminor: 3 }],
    ['./dev/vda', { type: 'block-device', mode: 0o660, devmajor: 254, devminor: 16 }],
    ['./run/pipe', { type: 'fifo', mode: 0o600 }],
  ]

  test('keeps owners, modes, links, devices and pipes', async () => {
    const { tree } = await openTar(entries)
    expect(listing(tree)).toEqual({
      dev: 'directory 755 0:0',
      'dev/null': 'character 666 0:0 1:3',
      'dev/vda': 'block 660 0:0 254:16',
      etc: 'directory 2755 5:6',
      'etc/mtab': '-> /proc/mounts',
      'etc/other': 'file 4640 0:42',
      'etc/shadow': 'file 4640 0:42',
      run: 'directory 755 0:0',
      'run/pipe': 'fifo 600 0:0 0:0',
    })
    expect(tree.root.mode).toBe(0o700)
    expect(tree.find(['etc', 'other'])).toBe(tree.find(['etc', 'shadow']))
  })

  test.each([
    ['gzip', gzipSync],
    ['zstd', zstdCompressSync],
  ])('is read through %s', async (_, compress) => {
    const { tree } = await openBytes(compress(await makeTar([['etc/motd', 'hello']])))
    expect(await contents(tree)).toEqual({ 'etc/motd': 'hello' })
  })

  test.each<[string, TarEntry, RegExp]>([
    ['a path that leads out of it', ['../../etc/passwd', 'x'], /leads out of the archive/],
    ['an absolute path', ['/etc/passwd', 'x'], /is absolute/],
    ['a hard link that leads out of it', ['a', { type: 'link', linkname: '../../etc/shadow' }], /leads out/],
    ['an absolute hard link', ['a', { type: 'link', linkname: '/etc/shadow' }], /is absolute/],
    ['a hard link to nothing', ['a', { type: 'link', linkname: 'b' }], /hard link to "b", which is not a file of it/],
    ['a name that is too long', [`${'a'.repeat(256)}`, 'x'], /longer than Linux allows/],
  ])('with %s is refused', async (_, entry, message) => {
    await expect(openTar([entry])).rejects.toThrow(refusal('ROOTFS_INVALID', message))
  })

  test('never follows its own links on the host', async () => {
    await writeFile(join(directory, 'victim'), 'untouched')
    const { tree } = await openTar([
      ['out', { type: 'symlink', linkname: directory }],
      ['up', { type: 'symlink', linkname: '../../../..' }],
      [`up/${'deep/'.repeat(3)}file`, 'x'],
    ])
    // The root has no parent.
    expect(await contents(tree)).toEqual({ 'deep/deep/deep/file': 'x' })
    await expect(
      openTar([
        ['out', { type: 'symlink', linkname: directory }],
        ['out/victim', 'x'],
      ]),
    ).rejects.toThrow(refusal('ROOTFS_INVALID', /"out\/victim", whose parent is not a directory/))
  })

  test('refuses an archive with cyclic links', async () => {
    await expect(
      openTar([
        ['a', { type: 'symlink', linkname: 'b' }],
        ['b', { type: 'symlink', linkname: 'a' }],
        ['a/file', 'x'],
      ]),
    ).rejects.toThrow(refusal('ROOTFS_INVALID', /whose parent is not a directory/))
  })

  test('refuses an archive with links to ever deeper directories', async () => {
    const level = `${'d'.repeat(200)}/`.repeat(9)
    const nested = Array.from({ length: 4 }, (_, at): TarEntry[] => [
      [`${at === 0 ? '' : `l${at - 1}/`}${level}`, { mode: 0o755 }],
      [`l${at}`, { type: 'symlink', linkname: `${at === 0 ? '' : `l${at - 1}/`}${level}` }],
    ]).flat()
    await expect(openTar(nested)).rejects.toThrow(refusal('ROOTFS_INVALID', /nested too deep/))
  })

  test('refuses an archive that is larger than the limit before unpacking all of it', async () => {
    const bomb = gzipSync(await makeTar([['zeros', Buffer.alloc(4 * 2 ** 20)]]))
    expect(bomb.length).toBeLessThan(100_000)
    await expect(openBytes(bomb, { maxBytes: 2 ** 20 })).rejects.toThrow(
      refusal('ROOTFS_TOO_LARGE', /unpacks to more than 1 MiB/),
    )
  })

  test.each([
    ['text', Buffer.from('no archive\n'.repeat(100)), /not a tar archive, or damaged/],
    ['a cut gzip stream', gzipSync(Buffer.alloc(5000, 'a')).subarray(0, 20), /not a tar archive, or damaged/],
    ['xz', Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1, 2, 3]), /compressed with xz/],
  ])('refuses %s with its own message', async (_, bytes, message) => {
    await expect(openBytes(bytes)).rejects.toThrow(refusal('ROOTFS_INVALID', message))
  })

  test('refuses a truncated archive', async () => {
    const tar = await makeTar([['a', Buffer.alloc(5000)]])
    await expect(openBytes(tar.subarray(0, 2000))).rejects.toThrow(refusal('ROOTFS_INVALID', /damaged/))
  })
})

describe('the layers of an image', () => {
  async function openLayers(...layers: readonly (readonly TarEntry[])[]): Promise<RootTree> {
    const archives = await Promise.all(layers.map((entries) => makeTar(entries)))
    return (await openBytes(await makeDockerArchive(archives, {}))).tree
  }

  test('replace, add and remove entries of the layers below', async () => {
    const tree = await openLayers(
      [
        ['etc/', { mode: 0o755 }],
        ['etc/a', 'a'],
        ['etc/b', 'b'],
        ['opt/data/old', 'old'],
        ['srv/x', 'x'],
        ['lib', { type: 'symlink', linkname: 'usr/lib' }],
        ['usr/lib/', { mode: 0o755 }],
      ],
      [
        ['etc/', { mode: 0o700 }],
        ['etc/.wh.a', ''],
        ['etc/b', 'changed'],
        ['opt/data/new', 'new'],
        ['opt/data/.wh..wh..opq', ''],
        ['.wh.srv', ''],
        ['lib/so', 'through the link'],
      ],
    )
    expect(await contents(tree)).toEqual({
      'etc/b': 'changed',
      'opt/data/new': 'new',
      'usr/lib/so': 'through the link',
    })
    expect(listing(tree)['etc']).toBe('directory 700 0:0')
    expect(tree.find(['srv'])).toBeUndefined()
  })

  test('can contain an entry that they also remove, in either order', async () => {
    const below: TarEntry[] = [['d/old', 'old']]
    const first = await openLayers(below, [
      ['.wh.d', ''],
      ['d/new', 'new'],
    ])
    const last = await openLayers(below, [
      ['d/new', 'new'],
      ['.wh.d', ''],
    ])
    expect(await contents(first)).toEqual({ 'd/new': 'new' })
    expect(await contents(last)).toEqual({ 'd/new': 'new' })
  })

  test('can replace a directory by a file, and a link by a directory', async () => {
    const tree = await openLayers(
      [
        ['a/file', 'x'],
        ['b', { type: 'symlink', linkname: 'a' }],
      ],
      [
        ['a', 'now a file'],
        ['b/', { mode: 0o755 }],
      ],
    )
    expect(listing(tree)).toEqual({ a: 'file 644 0:0', b: 'directory 755 0:0' })
  })

  test('cannot remove host files through a link', async () => {
    await mkdir(join(directory, 'host'))
    await writeFile(join(directory, 'host/file'), 'untouched')
    const tree = await openLayers(
      [['out', { type: 'symlink', linkname: join(directory, 'host') }]],
      [['out/.wh.file', '']],
    )
    expect(listing(tree)).toEqual({ out: `-> ${join(directory, 'host')}` })
    expect(await contents((await openPath(join(directory, 'host'))).tree)).toEqual({ file: 'untouched' })
  })
})

describe('a container image', () => {
  const config = { Env: ['A=1', 'B=x=y'], Entrypoint: ['/run'], Cmd: ['arg'], WorkingDir: '/app', User: 'web' }

  test("is read with its configuration and Docker's default PATH", async () => {
    const layer = await makeTar([['file', 'x']])
    const opened = await openBytes(await makeDockerArchive([layer], config))
    expect(opened.config).toEqual({
      env: { PATH: expect.stringContaining('/usr/bin'), A: '1', B: 'x=y' },
      entrypoint: ['/run'],
      command: ['arg'],
      directory: '/app',
      user: 'web',
    })
  })

  test('is chosen by name in an archive of several', async () => {
    const layer = await makeTar([['file', 'x']])
    const one = await makeDockerArchive([layer], config, ['docker.io/library/one:1', 'two:2'])
    expect((await openBytes(one, { image: 'one:1' })).config?.user).toBe('web')
    await expect(openBytes(one, { image: 'three' })).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', hint: expect.stringContaining('two:2') }),
    )
  })

  test('is read from an OCI layout with compressed layers, for the requested architecture', async () => {
    const layout = join(directory, 'layout')
    const image = async (text: string, architecture: string) => {
      const tar = await makeTar([['arch', text]])
      return { layers: [{ tar, stored: gzipSync(tar) }], config, architecture }
    }
    await makeOciLayout(layout, [await image('amd', 'amd64'), await image('arm', 'arm64')])
    expect(await contents((await openPath(layout)).tree)).toEqual({ arch: 'amd' })
    const arm = await openPath(layout, { arch: 'aarch64' })
    expect([arm.arch, await contents(arm.tree)]).toEqual(['aarch64', { arch: 'arm' }])
  })

  test('sets the architecture if it is the only one', async () => {
    const layout = join(directory, 'layout')
    const tar = await makeTar([['a', 'a']])
    await makeOciLayout(layout, [{ layers: [{ tar, stored: tar }], config, architecture: 's390x' }])
    expect((await openPath(layout)).arch).toBe('s390x')
    await expect(openPath(layout, { arch: 'x86_64' })).rejects.toThrow(
      refusal('INVALID_OPTION', /has an image for s390x, but `arch` is x86_64/),
    )
  })

  test('refuses a container image with a layer of another digest', async () => {
    const [tar, other] = [await makeTar([['a', 'a']]), await makeTar([['a', 'b']])]
    const layout = join(directory, 'layout')
    await makeOciLayout(layout, [{ layers: [{ tar, stored: gzipSync(other) }], config }])
    await expect(openPath(layout)).rejects.toThrow(refusal('ROOTFS_INVALID', /layer 1 of .* is damaged/))
  })

  test('refuses a container image that refers to files outside of its layout', async () => {
    const manifest = [{ Config: '../../etc/hostname', RepoTags: ['x'], Layers: ['../../etc/passwd'] }]
    const archive = await makeTar([['manifest.json', JSON.stringify(manifest)]])
    await expect(openBytes(archive)).rejects.toThrow(refusal('ROOTFS_INVALID', /lacks the file/))
  })
})

describe('a directory', () => {
  test('is read with its links, and its owner becomes root unless it is root already', async () => {
    const root = join(directory, 'root')
    await mkdir(join(root, 'bin'), { recursive: true })
    await writeFile(join(root, 'bin/tool'), 'x', { mode: 0o750 })
    await symlink('/etc/passwd', join(root, 'link'))
    const { tree } = await openPath(root)
    expect(listing(tree)).toMatchObject({ 'bin/tool': 'file 750 0:0', link: '-> /etc/passwd' })
  })

  test('changes its identity when a file changes', async () => {
    const root = join(directory, 'root')
    const identity = async (): Promise<string> =>
      (await findSource(root, 2 ** 20, new Cache(join(directory, 'cache')))).identity
    await mkdir(root)
    await writeFile(join(root, 'file'), 'a')
    const before = await identity()
    expect(await identity()).toBe(before)
    await writeFile(join(root, 'file'), 'b')
    expect(await identity()).not.toBe(before)
  })
})

test('names a source that does not exist', async () => {
  await expect(openPath(join(directory, 'absent'))).rejects.toThrow(refusal('FILE_MISSING', /absent cannot be read/))
})
