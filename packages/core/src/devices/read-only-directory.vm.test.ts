import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { bootLinux, run } from '../../test/guest.ts'
import { liveMachines } from '../host/machines/live-machines.ts'
import { describeMachine } from '../machine/description.ts'
import { VM } from '../machine/vm.ts'
import { Template } from '../template/template.ts'
import type { Device } from './device.ts'
import { readOnlyDirectory } from './read-only-directory.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

let directories = 0
function directory(files: Readonly<Record<string, string | Uint8Array>>): string {
  const path = join(folder, `shared${directories++}`)
  mkdirSync(path)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(path, name)), { recursive: true })
    writeFileSync(join(path, name), content)
  }
  return path
}

const sha256 = (data: Uint8Array | string): string => createHash('sha256').update(data).digest('hex')

/**
 * 200 files, with sizes around that of a cluster and times that FAT can store, and some files that are difficult for
 * FAT.
 */
function hardTree(): string {
  const many = Array.from({ length: 200 }, (_, index): [string, Uint8Array] => {
    const content = Buffer.alloc(index * 37, `${index} `)
    return [`many/file number ${index}${index % 3 === 0 ? ' é' : ''}.data`, content]
  })
  const path = directory({
    ...Object.fromEntries(many),
    empty: '',
    'large.bin': Buffer.alloc(5 * 2 ** 20 + 1, 'not a multiple of a cluster '),
    'UPPER.TXT': 'in upper case',
    'aux.c': 'a name that Windows cannot open',
    'grüße/日本語/🧪 emoji.txt': 'unicode',
    [`${'x'.repeat(250)}.long`]: 'a long name',
    [`${Array.from({ length: 30 }, (_, depth) => `level ${depth}`).join('/')}/deep`]: 'deep',
    ".hidden, with 'quotes' & $HOME": 'hostile',
  })
  mkdirSync(join(path, 'nothing/within'), { recursive: true })
  for (const [index, name] of readdirSync(path, { recursive: true, encoding: 'utf8' }).entries()) {
    const seconds = Date.UTC(2024, 1, 29) / 1000 + index * 1_000_002
    utimesSync(join(path, name), seconds, seconds)
  }
  return path
}

/** `<path> <hash>` of each file and `<path>/` of each directory, sorted. */
function contentsOf(path: string): string[] {
  const names = readdirSync(path, { recursive: true, encoding: 'utf8' })
  return names
    .map((name) => {
      const source = join(path, name)
      return lstatSync(source).isDirectory() ? `./${name}/` : `./${name} ${sha256(readFileSync(source))}`
    })
    .sort()
}

/** Same as {@link contentsOf}, for a directory in the guest. */
async function contentsInGuest(vm: VM, path: string): Promise<string[]> {
  const files = await run(vm, `cd ${path} && find . -type f -exec sha256sum {} +`)
  const below = await run(vm, `cd ${path} && find . -mindepth 1 -type d`)
  return [
    ...lines(files).map((line) => `${line.slice(66)} ${line.slice(0, 64)}`),
    ...lines(below).map((name) => `${name}/`),
  ].sort()
}

const lines = (text: string): string[] => text.split('\n').filter(Boolean)

/** A device that records the private directory of the machine, which contains the images. */
function spy(): Device & { directory: string } {
  const device: Device & { directory: string } = {
    name: 'spy',
    directory: '',
    qemuArgs: () => [],
    attach(context) {
      device.directory = context.directory
    },
  }
  return device
}

describe('a directory is read by the guest', () => {
  test('a directory is read by the guest with the names, contents and times of the host, on /dev/sda1', async () => {
    const shared = hardTree()
    const vm = await bootLinux({}, [readOnlyDirectory(shared, { mountAt: '/mnt/shared' })])
    expect(await run(vm, 'grep /mnt/shared /proc/mounts')).toMatch(/^\/dev\/sda1 \/mnt\/shared vfat ro,/)
    expect(await contentsInGuest(vm, '/mnt/shared')).toEqual(contentsOf(shared))
    const times = await run(vm, 'cd /mnt/shared && find . -mindepth 1 -exec stat -c "%Y %n" {} +')
    const expected = readdirSync(shared, { recursive: true, encoding: 'utf8' }).map(
      (name) => `${lstatSync(join(shared, name)).mtimeMs / 1000} ./${name}`,
    )
    expect(lines(times).sort()).toEqual(expected.sort())
  })

  test('a directory is read by the guest on virtio as /dev/vda1 and /dev/vdb1, by a kernel without other disks', async () => {
    const shared = hardTree()
    const second = directory({ file: 'second' })
    const devices = [shared, second].map((path) => readOnlyDirectory(path, { interface: 'virtio' }))
    const vm = await bootLinux({ flavour: 'cloud' }, devices)
    await run(
      vm,
      'mkdir /mnt/a /mnt/b; for disk in a b; do mount -t vfat -o ro,utf8,tz=UTC /dev/vd${disk}1 /mnt/$disk; done',
    )
    expect(await contentsInGuest(vm, '/mnt/a')).toEqual(contentsOf(shared))
    expect(await contentsInGuest(vm, '/mnt/b')).toEqual(contentsOf(second))
  })

  test('a directory is read by the guest with the command line for a shell', async () => {
    const [tools, data] = [directory({ 'tool, one': 'a tool' }), directory({ 'ünïcode.txt': 'data' })]
    const guest = await linuxGuest({ init: 'cat "/mnt/tools/tool, one" /mnt/data/ünïcode.txt; poweroff -f' })
    const { commandLine } = describeMachine({
      ...guest,
      devices: [
        readOnlyDirectory(tools, { mountAt: '/mnt/tools', label: 'tools' }),
        readOnlyDirectory(data, { mountAt: '/mnt/data', interface: 'ahci' }),
      ],
    })
    const [qemu = '', ...args] = commandLine
    const { stdout } = await promisify(execFile)(qemu, args)
    expect(stdout).toContain('a tooldata')
  })

  test('a directory is read by the guest of a machine from a template; other content makes another template', async () => {
    const shared = directory({ file: 'first' })
    const options = { ...(await linuxGuest()), devices: [readOnlyDirectory(shared, { mountAt: '/mnt' })] }
    const start = async (): Promise<VM> => {
      const template = await Template.build({ ...options, timeout: 60_000 })
      const vm = await template.start()
      onTestFinished(() => vm.close().then(() => {}))
      return vm
    }
    expect(await run(await start(), 'cat /mnt/file')).toBe('first')
    writeFileSync(join(shared, 'file'), 'other')
    expect(await run(await start(), 'cat /mnt/file')).toBe('other')
  })
})

describe('writes of a guest', () => {
  // Each command must fail: `!` of the shell inverts its exit status.
  const attacks = (disk: string): readonly string[] => [
    `mount -t vfat -o rw ${disk}1 /tmp/rw && touch /tmp/rw/touched`,
    'mount -o remount,rw /mnt/a && touch /mnt/a/touched',
    'echo changed >/mnt/a/file',
    'rm -f /mnt/a/file',
    'mkdir /mnt/a/made',
    'chmod 0 /mnt/a/file && sync',
    `dd if=/dev/zero of=${disk} bs=1M count=1 conv=fsync`,
    `dd if=/dev/zero of=${disk}1 bs=512 count=8 conv=fsync`,
    `mkdosfs ${disk}1 && sync`,
    `blockdev --setrw ${disk} && dd if=/dev/zero of=${disk} bs=512 count=1 conv=fsync`,
    `blockdev --setrw ${disk}1 && dd if=/dev/zero of=${disk}1 bs=512 count=1 conv=fsync`,
  ]

  test('fail, and do not reach the directories or images', async () => {
    const shared = [directory({ file: 'a' }), directory({ file: 'b', 'deep/file': 'c' })]
    const before = shared.map(contentsOf)
    const spying = spy()
    const devices = shared.map((path, index) => readOnlyDirectory(path, { mountAt: `/mnt/${'ab'[index]}` }))
    const vm = await bootLinux({}, [...devices, spying])
    const images = ['directory0.img', 'directory1.img'].map((name) => join(spying.directory, name))
    const bytes = images.map((image) => sha256(readFileSync(image)))
    expect(await run(vm, 'cat /mnt/a/file /mnt/b/file /mnt/b/deep/file; cat /sys/block/sd[ab]/ro')).toBe('abc1\n1\n')
    expect(lines(await run(vm, 'cut -d " " -f 1 /proc/mounts | grep /dev/sd | sort'))).toEqual([
      '/dev/sda1',
      '/dev/sdb1',
    ])
    await run(vm, 'mkdir /tmp/rw')
    for (const disk of ['/dev/sda', '/dev/sdb']) {
      for (const attack of attacks(disk)) await run(vm, `! { ${attack}; }`)
    }
    // The caches of the guest are dropped, so that it reads the disk again.
    await run(vm, 'umount -a -t vfat; echo 3 >/proc/sys/vm/drop_caches; mount -t vfat -o ro LABEL=COLDBOOT0 /mnt/a')
    expect(await run(vm, 'cat /mnt/a/file; ls /mnt/a')).toBe('afile\n')
    expect(images.map((image) => sha256(readFileSync(image)))).toEqual(bytes)
    expect(shared.map(contentsOf)).toEqual(before)
  })

  test('go to a layer on ahci, which has no write protection', async () => {
    const shared = directory({ file: 'as it was' })
    const spying = spy()
    const vm = await bootLinux({}, [readOnlyDirectory(shared, { interface: 'ahci', mountAt: '/mnt' }), spying])
    const image = join(spying.directory, 'directory0.img')
    const bytes = sha256(readFileSync(image))
    await expect(run(vm, 'echo changed >/mnt/file')).rejects.toThrow('Read-only file system')
    await run(vm, 'umount /mnt; mount -t vfat /dev/sda1 /mnt; echo changed >/mnt/file; sync')
    await run(vm, 'umount /mnt; mount -t vfat /dev/sda1 /mnt')
    expect(await run(vm, 'cat /mnt/file')).toBe('changed\n')
    expect(sha256(readFileSync(image))).toBe(bytes)
    expect(contentsOf(shared)).toEqual([`./file ${sha256('as it was')}`])
  })
})

describe('a machine does not start', () => {
  test('a machine does not start when its kernel has no vfat, with a message on the console', async () => {
    const guest = await linuxGuest()
    const vm = await VM.boot({
      ...guest,
      kernelArgs: `${guest.kernelArgs} module_blacklist=vfat`,
      timeout: 60_000,
      devices: [readOnlyDirectory(directory({}), { mountAt: '/mnt' })],
    })
    onTestFinished(() => vm.close().then(() => {}))
    await vm.expect('coldboot: LABEL=COLDBOOT0 cannot be mounted at /mnt')
    await vm.expect('vfat needs CONFIG_VFAT_FS')
    expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-shutdown' })
  })

  test('a machine does not start with a directory that FAT cannot hold: QEMU is not even started', async () => {
    const logFile = join(folder, 'refused/console.log')
    const devices = [readOnlyDirectory(directory({ 'a:b': '', 'c?': '' }))]
    const refused = VM.boot({ ...(await linuxGuest()), logFile, devices })
    await expect(refused).rejects.toMatchObject({ code: 'DIRECTORY_UNSHAREABLE' })
    await expect(refused).rejects.toThrow(/a:b[^]*c\?/)
    // No log exists, so QEMU was not started: a machine opens its log when QEMU is spawned.
    expect(existsSync(dirname(logFile))).toBe(false)
    expect(liveMachines()).toEqual([])
  })
})
