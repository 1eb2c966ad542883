import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { type MkfatfsError, readFatImage } from 'mkfatfs-wasm'
import { afterAll, describe, expect, test } from 'vitest'
import { type AskOptions, kernelArgsOf, parseOptionString, qemuArgsOf } from '../../test/device-arguments.ts'
import { hostileName } from '../../test/hostile-names.ts'
import { ColdbootError, type OptionError } from '../errors.ts'
import type { Architecture } from '../options/architecture.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import type { Device } from './device.ts'
import { inspectDiskImage } from './disk/disk-image.ts'
import { type ReadOnlyDirectoryOptions, readOnlyDirectory } from './read-only-directory.ts'

const folder = realpathSync(mkdtempSync(join(tmpdir(), 'coldboot-test-')))
afterAll(() => rmSync(folder, { recursive: true }))

let count = 0
/** Creates a directory with the given files. */
function directory(files: Readonly<Record<string, string>> = {}, name = `shared${count++}`): string {
  const path = join(folder, name)
  mkdirSync(path, { recursive: true })
  for (const [file, content] of Object.entries(files)) writeFileSync(join(path, file), content)
  return path
}

const shared = directory({ file: 'content' }, 'shared')

/** Prepares the device in a new private directory, and returns its path. */
async function prepare(device: Device, position = 0, signal = new AbortController().signal): Promise<string> {
  const privateDirectory = mkdtempSync(join(folder, 'private-'))
  await device.prepare?.({ arch: 'x86_64', machine: 'pc', directory: privateDirectory, position, signal })
  return privateDirectory
}

describe('the complete arguments', () => {
  const file = 'file.driver=file,file.filename=/private/directory0.img'
  const content = ['-blockdev', `node-name=disk0,driver=raw,read-only=on,${file}`]
  const scsi = ['-device', 'virtio-scsi-pci,id=scsi0', '-device', 'scsi-hd,bus=scsi0.0,drive=disk0']
  const ahci = ['-device', 'ahci,id=ahci0', '-device', 'ide-hd,bus=ahci0.0,drive=disk0']
  const layer =
    'node-name=disk0,driver=qcow2,cache.no-flush=on,file.driver=file,file.filename=/private/directory0.qcow2'
  const below = 'backing.driver=raw,backing.read-only=on,backing.file.driver=file'
  const madeByQemu = `file.driver=vvfat,file.dir=${shared},file.label=COLDBOOT0`
  const cases: readonly [title: string, options: ReadOnlyDirectoryOptions, ask: AskOptions, args: readonly string[]][] =
    [
      ['scsi, the default', {}, {}, [...content, ...scsi]],
      [
        'on s390x',
        {},
        { arch: 's390x' },
        [...content, '-device', 'virtio-scsi-ccw,id=scsi0', '-device', 'scsi-hd,bus=scsi0.0,drive=disk0'],
      ],
      ['virtio', { interface: 'virtio' }, {}, [...content, '-device', 'virtio-blk-pci,drive=disk0']],
      ['nvme', { interface: 'nvme' }, {}, [...content, '-device', 'nvme,drive=disk0,serial=nvme0']],
      [
        'usb',
        { interface: 'usb' },
        {},
        [...content, '-device', 'qemu-xhci,id=usb0', '-device', 'usb-storage,bus=usb0.0,drive=disk0'],
      ],
      [
        'ahci, with a layer for what the guest writes',
        { interface: 'ahci' },
        {},
        ['-blockdev', `${layer},${below},backing.file.filename=/private/directory0.img`, ...ahci],
      ],
      [
        "in a person's shell, where QEMU makes the file system",
        {},
        { wiring: 'standalone' },
        ['-blockdev', `node-name=disk0,driver=raw,read-only=on,${madeByQemu}`, ...scsi],
      ],
      [
        "in a person's shell on ahci, where QEMU makes the layer too",
        { interface: 'ahci' },
        { wiring: 'standalone' },
        ['-drive', `if=none,id=disk0,format=raw,snapshot=on,${madeByQemu}`, ...ahci],
      ],
    ]
  test.each(cases)('%s', (_title, options, ask, args) => {
    expect(qemuArgsOf(readOnlyDirectory(shared, options), ask)).toEqual(args)
  })

  test('two devices have separate ids and images', () => {
    const args = qemuArgsOf([readOnlyDirectory(shared), readOnlyDirectory(shared)])
    const nodes = args.filter((arg) => arg.startsWith('node-name')).map(parseOptionString)
    expect(nodes.map((node) => [node['node-name'], node['file.filename']])).toEqual([
      ['disk0', '/private/directory0.img'],
      ['disk1', '/private/directory1.img'],
    ])
  })
})

describe('the kernel command line has', () => {
  const cases: readonly [title: string, options: ReadOnlyDirectoryOptions, words: readonly string[]][] = [
    ['nothing of a plain one', {}, []],
    ['where to mount', { mountAt: '/mnt/a' }, ['coldboot.mount=/mnt/a:vfat:LABEL=COLDBOOT0:ro,utf8,tz=UTC']],
    [
      'where to mount, by a label of its own',
      { mountAt: '/mnt', label: 'tools', interface: 'virtio' },
      ['coldboot.mount=/mnt:vfat:LABEL=TOOLS:ro,utf8,tz=UTC'],
    ],
  ]
  test.each(cases)('%s', (_title, options, words) => {
    expect(kernelArgsOf(readOnlyDirectory(shared, options))).toEqual(words)
  })
})

test('passes any directory name unchanged and without additional options', () => {
  fc.assert(
    fc.property(hostileName, fc.constantFrom('scsi', 'ahci'), (name, kind) => {
      const path = directory({}, join('hostile', name))
      const device = readOnlyDirectory(path, { interface: kind })
      const parsed = (wiring: 'inherited' | 'standalone') => parseOptionString(qemuArgsOf(device, { wiring })[1] ?? '')
      const { 'file.dir': dir, ...rest } = parsed('standalone')
      const { 'file.dir': plain, ...same } = parseOptionString(
        qemuArgsOf(readOnlyDirectory(shared, { interface: kind }), { wiring: 'standalone' })[1] ?? '',
      )
      expect([dir, rest, plain]).toEqual([path, same, shared])
      // The path of the directory is not passed to QEMU.
      expect(Object.values(parsed('inherited')).filter((value) => value.includes(path))).toEqual([])
    }),
  )
})

describe('prepared', () => {
  test('is a sparse image with a partition, a label and the files', async () => {
    const path = directory({ 'aux.c': 'int main;', 'ünïcode 日本 🧪.txt': 'text', empty: '' })
    mkdirSync(join(path, 'none'))
    symlinkSync('aux.c', join(path, 'link'))
    writeFileSync(join(path, 'zeros'), '')
    truncateSync(join(path, 'zeros'), 100 * 2 ** 20)
    const image = join(await prepare(readOnlyDirectory(path), 2), 'directory2.img')
    await using fat = await readFatImage(image)
    expect(fat.label).toBe('COLDBOOT2')
    const names = (await fat.list()).map(({ path: name, kind }) => `${kind} ${name}`).sort()
    expect(names).toEqual([
      'directory none',
      'file aux.c',
      'file empty',
      'file link',
      'file zeros',
      'file ünïcode 日本 🧪.txt',
    ])
    expect((await fat.readFile('link')).toString()).toBe('int main;')
    const { size, blocks } = statSync(image)
    expect(size).toBeGreaterThan(100 * 2 ** 20)
    expect(blocks * 512).toBeLessThan(8 * 2 ** 20)
    // An MBR: its signature, and the first partition at 1 MiB.
    const sector = readFileSync(image).subarray(0, 512)
    expect([sector.readUInt16LE(510), sector.readUInt32LE(446 + 8)]).toEqual([0xaa55, 2048])
  })

  test('has a layer with the size of the image only for ahci', async () => {
    const private1 = await prepare(readOnlyDirectory(shared, { interface: 'ahci', label: 'Tools' }))
    const image = inspectDiskImage(join(private1, 'directory0.img'), 'raw')
    expect(inspectDiskImage(join(private1, 'directory0.qcow2'))).toEqual({ ...image, format: 'qcow2' })
    await using fat = await readFatImage(join(private1, 'directory0.img'))
    expect(fat.label).toBe('TOOLS')
    expect(readdirSync(await prepare(readOnlyDirectory(shared)))).toEqual(['directory0.img'])
  })

  test('rejects with the reason of its signal, and leaves no file', async () => {
    const reason = new Error('closed')
    const attempt = prepare(readOnlyDirectory(shared), 0, AbortSignal.abort(reason))
    await expect(attempt).rejects.toBe(reason)
    const last = readdirSync(folder).filter((name) => name.startsWith('private-'))
    expect(last.some((name) => readdirSync(join(folder, name)).length === 0)).toBe(true)
  })
})

describe('refused at the call', () => {
  const file = join(shared, 'file')
  const refused: readonly [title: string, path: string, options: object, code: string, message: RegExp][] = [
    ['a missing directory', '/nonexistent', {}, 'FILE_MISSING', /`readOnlyDirectory` does not exist: \/nonexistent/],
    ['a file', file, {}, 'FILE_MISSING', /`readOnlyDirectory` is not a directory/],
    ['an interface', shared, { interface: 'ide' }, 'INVALID_OPTION', /`interface` must be one of virtio, scsi, ahci/],
    ['a long label', shared, { label: 'x'.repeat(12) }, 'INVALID_OPTION', /`label` must be 1 to 11 letters/],
    ['a label with a blank', shared, { label: 'a b' }, 'INVALID_OPTION', /`label`/],
    ['a label that another may get', shared, { label: 'coldboot1' }, 'INVALID_OPTION', /not COLDBOOT with a number/],
    ['a relative mount point', shared, { mountAt: 'mnt' }, 'INVALID_OPTION', /`mountAt` must be an absolute path/],
    [
      'a mount of what comes late',
      shared,
      { mountAt: '/mnt', interface: 'usb' },
      'INVALID_OPTION',
      /`mountAt` cannot be combined with/,
    ],
    ['an unknown option', shared, { lable: 'x' }, 'UNKNOWN_OPTION', /did you mean `label`\?/],
  ]
  test.each(refused)('%s', (_title, path, options, code, message) => {
    const attempt = () => readOnlyDirectory(path, options)
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ code }))
  })

  const machine = (arch: Architecture, ...disks: ReadOnlyDirectoryOptions[]) =>
    resolveOptions({ arch, firmware: 'none.bin', devices: disks.map((options) => readOnlyDirectory(shared, options)) })

  test('an interface that the machine does not have, and one label for two', () => {
    expect(() => machine('s390x', { interface: 'ahci' })).toThrow(/^readOnlyDirectory: s390x machines have no ahci/)
    expect(() => machine('x86_64', { label: 'a' }, { label: 'A' })).toThrow(/both have label A/)
    expect(machine('x86_64', { interface: 'ahci' }, {}, { label: 'a' }).devices).toHaveLength(3)
    expect(machine('s390x', {}).devices).toHaveLength(1)
  })
})

describe('refused when the machine is prepared, with the offending entries', () => {
  const refusal = async (path: string): Promise<OptionError> => {
    const error: unknown = await prepare(readOnlyDirectory(path)).catch((thrown: unknown) => thrown)
    if (!ColdbootError.is(error)) throw new Error('it was not refused as it should be', { cause: error })
    return error
  }
  const special = (path: string): void => {
    execFileSync('mkfifo', [join(path, 'pipe')])
    symlinkSync('/etc/passwd', join(path, 'out'))
    symlinkSync('nowhere', join(path, 'broken'))
  }
  const huge = (path: string): void => {
    writeFileSync(join(path, 'huge'), '')
    truncateSync(join(path, 'huge'), 2 ** 32)
  }
  const cases: readonly [title: string, cause: string, fill: (path: string) => void, shown: readonly RegExp[]][] = [
    [
      'special files and links that lead out',
      'UNSUPPORTED_FILE',
      special,
      [/pipe \(named pipe\)/, /out \(/, /broken \(/],
    ],
    [
      'names of reserved characters',
      'NAME_INVALID',
      (path) => ['a:b', 'c?', 'dot.'].map((name) => writeFileSync(join(path, name), '')),
      [/a:b/, /c\?/, /dot\./],
    ],
    [
      'names that differ in case alone',
      'NAME_COLLISION',
      (path) => ['Foo', 'foo'].map((name) => writeFileSync(join(path, name), '')),
      [/Foo and foo/],
    ],
    ['a file of 4 GiB', 'FILE_TOO_LARGE', huge, [/huge \(4/]],
  ]
  test.each(cases)('%s', async (_title, code, fill, shown) => {
    const path = directory()
    fill(path)
    const error = await refusal(path)
    expect(error).toMatchObject({ name: 'OptionError', code: 'DIRECTORY_UNSHAREABLE', cause: { code } })
    expect(error.shortMessage).toContain(`readOnlyDirectory: ${path} cannot be shared: `)
    for (const pattern of shown) expect(error.message).toMatch(pattern)
  })

  test('a directory with many entries that are refused has the first in the message and all in the cause', async () => {
    const names = Array.from({ length: 50 }, (_, index) => `bad:${String(index).padStart(2, '0')}`)
    const error = await refusal(directory(Object.fromEntries(names.map((name) => [name, '']))))
    expect(error.message).toContain('bad:19')
    expect(error.message).not.toContain('bad:20')
    expect(error.message).toContain('… and 30 more')
    expect((error.cause as MkfatfsError).offenders).toHaveLength(50)
  })

  test('a directory that was removed meanwhile, and one that contains the files of the machine', async () => {
    const gone = directory()
    const device = readOnlyDirectory(gone)
    renameSync(gone, `${gone}-elsewhere`)
    await expect(prepare(device)).rejects.toMatchObject({ name: 'OptionError', code: 'FILE_MISSING' })
    expect(await refusal(folder)).toMatchObject({
      code: 'DIRECTORY_UNSHAREABLE',
      hint: expect.stringContaining('TMPDIR'),
    })
  })
})

describe('the identity of its content', () => {
  const identity = (path: string, options?: ReadOnlyDirectoryOptions) =>
    readOnlyDirectory(path, options).contentIdentity?.()

  test('is the same for the same content at any mount point', async () => {
    const path = directory({ a: '1', b: '2' })
    expect(await identity(path)).toBe(await identity(path, { mountAt: '/mnt' }))
  })

  const time = new Date('2024-01-01')
  const changes: readonly [what: string, change: (path: string) => void][] = [
    ['a file more', (path) => writeFileSync(join(path, 'deep/new'), '')],
    ['a file less', (path) => rmSync(join(path, 'deep/file'))],
    ['another name', (path) => renameSync(join(path, 'deep/file'), join(path, 'deep/life'))],
    ['another size', (path) => writeFileSync(join(path, 'deep/file'), 'longer')],
    ['another time', (path) => utimesSync(join(path, 'deep/file'), time, new Date('2024-01-02'))],
    [
      'another content of the same size and time',
      (path) => {
        writeFileSync(join(path, 'deep/file'), 'two')
        utimesSync(join(path, 'deep/file'), time, time)
      },
    ],
    [
      'another target of a link',
      (path) => {
        rmSync(join(path, 'link'))
        symlinkSync('deep/same', join(path, 'link'))
      },
    ],
    ['a directory more', (path) => mkdirSync(join(path, 'deep/none'))],
  ]
  test.each(changes)('is different for %s', async (_what, change) => {
    const path = directory()
    mkdirSync(join(path, 'deep'))
    for (const name of ['deep/file', 'deep/same']) {
      writeFileSync(join(path, name), 'one')
      utimesSync(join(path, name), time, time)
    }
    symlinkSync('deep/file', join(path, 'link'))
    const before = await identity(path)
    change(path)
    expect(await identity(path)).not.toBe(before)
  })

  test('is different for another label, and a missing directory is refused', async () => {
    expect(await identity(shared, { label: 'one' })).not.toBe(await identity(shared, { label: 'two' }))
    const gone = directory()
    const device = readOnlyDirectory(gone)
    rmSync(gone, { recursive: true })
    await expect(device.contentIdentity?.()).rejects.toMatchObject({ code: 'FILE_MISSING' })
  })
})
