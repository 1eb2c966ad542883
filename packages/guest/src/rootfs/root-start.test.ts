import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { DEFAULT_PATH, homeOfRoot, type ImageConfig, planStart } from './root-start.ts'
import { RootTree } from './root-tree.ts'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'root-start-'))
})
afterEach(() => rm(directory, { recursive: true }))

const owned = { uid: 0, gid: 0, mtime: 0 }
/** Makes a tree of programs (`true`), links (`-> target`) and text files. */
async function treeOf(files: Readonly<Record<string, string | true>>): Promise<RootTree> {
  const tree = new RootTree('test')
  for (const [at, [path, value]] of Object.entries(files).entries()) {
    const names = path.split('/').filter(Boolean)
    if (value !== true && value.startsWith('-> ')) {
      tree.add(names, { type: 'symlink', ...owned, mode: 0o777, target: value.slice(3) })
      continue
    }
    const content = join(directory, String(at))
    const text = value === true ? '' : value
    await writeFile(content, text)
    const mode = value === true ? 0o755 : 0o644
    tree.add(names, { type: 'file', ...owned, mode, size: text.length, content: { path: content, offset: 0 } })
  }
  return tree
}
const CONFIG: ImageConfig = { env: { PATH: DEFAULT_PATH }, entrypoint: [], command: [], directory: '/', user: '' }
const ROOT = { directory: '/', uid: 0, gid: 0 }

describe('without a configuration', () => {
  test.each([
    ['the init of a distribution', { '/sbin/init': '-> /lib/systemd/systemd', '/lib/systemd/systemd': true }],
    [
      'the init of busybox with its start script',
      { '/sbin/init': '-> ../bin/busybox', '/bin/busybox': true, '/etc/init.d/rcS': true },
    ],
  ] as const)('starts %s', async (_, files) => {
    expect(await planStart(await treeOf(files), undefined, undefined)).toEqual({ kind: 'init', argv: ['/sbin/init'] })
  })

  test('does not start the init of busybox if the program in its inittab is missing', async () => {
    const files = {
      '/sbin/init': '-> /bin/busybox',
      '/bin/busybox': true,
      '/bin/sh': '-> busybox',
      '/etc/inittab': '# table\n::sysinit:/sbin/openrc sysinit\n',
    } as const
    expect(await planStart(await treeOf(files), undefined, undefined)).toEqual({ kind: 'shell' })
    const complete = await treeOf({ ...files, '/sbin/openrc': true })
    expect(await planStart(complete, undefined, undefined)).toEqual({ kind: 'init', argv: ['/sbin/init'] })
  })

  test('refuses a source without a program to run', async () => {
    await expect(planStart(await treeOf({ '/etc/motd': 'x' }), undefined, undefined)).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION', shortMessage: expect.stringContaining('neither an init nor') }),
    )
  })
})

describe('of a container image', () => {
  test('the entrypoint runs with its arguments, found on the PATH of the image', async () => {
    const tree = await treeOf({ '/opt/bin/server': true, '/srv/www/index': 'x' })
    const config = {
      ...CONFIG,
      env: { PATH: '/bin:/opt/bin' },
      entrypoint: ['server', '--port'],
      command: ['80'],
      directory: '/srv/www',
    }
    expect(await planStart(tree, config, undefined)).toEqual({
      kind: 'command',
      command: { argv: ['/opt/bin/server', '--port', '80'], directory: '/srv/www', uid: 0, gid: 0 },
    })
  })

  test.each([
    ['1000', { uid: 1000, gid: 0 }],
    ['1000:50', { uid: 1000, gid: 50 }],
    ['web', { uid: 33, gid: 34 }],
    ['web:staff', { uid: 33, gid: 50 }],
    ['33', { uid: 33, gid: 34 }],
  ])('resolves the user %s with the files of the image', async (user, ids) => {
    const tree = await treeOf({
      '/run': true,
      '/etc/passwd': 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/:/bin/false\n',
      '/etc/group': 'staff:x:50:\n',
    })
    expect(await planStart(tree, { ...CONFIG, entrypoint: ['/run'], user }, undefined)).toMatchObject({ command: ids })
  })

  test.each([
    ['a user', { user: 'absent' }, /no user "absent"/],
    ['a program', { entrypoint: ['absent'] }, /the program "absent" is not in the source/],
    ['a directory', { directory: '/absent' }, /the working directory \/absent is not in the image/],
  ])('refuses %s that is missing', async (_, config, message) => {
    const tree = await treeOf({ '/run': true })
    await expect(planStart(tree, { ...CONFIG, entrypoint: ['/run'], ...config }, undefined)).rejects.toThrow(message)
  })

  test('an init as the command becomes process 1', async () => {
    const tree = await treeOf({ '/sbin/init': '-> /lib/systemd/systemd', '/lib/systemd/systemd': true })
    const config = { ...CONFIG, command: ['/lib/systemd/systemd', '--system'] }
    expect(await planStart(tree, config, undefined)).toEqual({ kind: 'init', argv: config.command })
  })

  test('a shell as the command means the init of the image, but not that of busybox', async () => {
    const config = { ...CONFIG, command: ['/bin/sh'] }
    const busybox = {
      '/bin/busybox': true,
      '/bin/sh': '-> busybox',
      '/sbin/init': '-> /bin/busybox',
      '/etc/init.d/rcS': true,
    } as const
    expect(await planStart(await treeOf(busybox), config, undefined)).toEqual({ kind: 'shell' })
    const debian = await treeOf({ '/bin/sh': true, '/sbin/init': true })
    expect(await planStart(debian, config, undefined)).toEqual({ kind: 'init', argv: ['/sbin/init'] })
  })
})

describe('the option `init`', () => {
  const files = { '/bin/sh': true, '/bin/other': true, '/sbin/init': true } as const

  test.each([
    [false, { kind: 'shell' }],
    ['/bin/other', { kind: 'init', argv: ['/bin/other'] }],
    [['other', 'a b'], { kind: 'command', command: { ...ROOT, argv: ['/bin/other', 'a b'] } }],
  ] as const)('%j overrides configuration and files', async (init, start) => {
    const config = { ...CONFIG, entrypoint: ['/bin/sh', '-c', 'x'] }
    expect(await planStart(await treeOf(files), config, init)).toEqual(start)
  })

  test('is refused for a missing program', async () => {
    await expect(planStart(await treeOf(files), undefined, '/absent')).rejects.toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })
})

test('reads the home directory of root from the root, if that directory exists', async () => {
  expect(await homeOfRoot(await treeOf({ '/bin/sh': true }))).toBe('/')
  expect(await homeOfRoot(await treeOf({ '/root/.profile': 'x' }))).toBe('/root')
  const other = { '/home/admin/x': 'x', '/etc/passwd': 'root:x:0:0::/home/admin:/bin/sh\n' }
  expect(await homeOfRoot(await treeOf(other))).toBe('/home/admin')
})
