/** Tests of machines of one template that have different shared directories and disks. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { blockDevice } from '../devices/block-device.ts'
import { EARLY_MOUNTS } from '../devices/helpers/guest-mount.ts'
import { p9Directory } from '../devices/p9-directory.ts'
import { readOnlyDirectory } from '../devices/read-only-directory.ts'
import type { VM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { endPool } from './pool/end-pool.ts'
import { startReady } from './start-ready.ts'
import { Template } from './template.ts'
import type { VMOptions } from './vm-options.ts'

const scratch = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
let guest: MachineOptions
/** Options of a guest whose start script reads a directory. */
let early: MachineOptions

beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 60_000 }
  const init = { init: 'cp /mnt/tool /root/by-init' }
  const profile = { files: { '/etc/profile.d/tool.sh': 'cp /mnt/tool /root/by-profile\n' } }
  for (const one of [init, profile]) expect((await linuxGuest(one)).kernelArgs).toContain(EARLY_MOUNTS)
  expect(guest.kernelArgs).not.toContain(EARLY_MOUNTS)
  early = { ...(await linuxGuest({ ...init, ...profile })), timeout: 60_000 }
  vi.stubEnv('COLDBOOT_CACHE', join(scratch, 'cache'))
}, 300_000)
afterEach(endPool)
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(scratch, { recursive: true, force: true })
})

/** A directory with files, by name. */
function directory(files: Readonly<Record<string, string>>): string {
  const path = mkdtempSync(join(scratch, 'shared-'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text)
  return path
}

async function ready(options: VMOptions): Promise<VM> {
  const vm = await startReady({ ...guest, template: 'required', ...options })
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** The template that a machine was started from. */
function templateOf(vm: VM): string {
  const [, memory = ''] = /mem-path=([^,\0]+)/.exec(readFileSync(`/proc/${vm.pid}/cmdline`, 'utf8')) ?? []
  expect(memory).toContain(join(scratch, 'cache', 'templates'))
  return memory
}

async function printed(vm: VM, command: string): Promise<string> {
  return (await vm.run(command)).stdout
}

describe('a 9p directory', () => {
  test('a 9p directory differs between machines of one template', async () => {
    const templates = new Set<string>()
    for (const name of ['first', 'second']) {
      const shared = directory({ name })
      const vm = await ready({ devices: [p9Directory(shared, { mountAt: '/mnt' })], pool: true })
      expect(await printed(vm, 'cat /mnt/name')).toBe(name)
      await vm.run(`echo ${name} >/mnt/written`)
      expect(readFileSync(join(shared, 'written'), 'utf8')).toBe(`${name}\n`)
      templates.add(templateOf(vm))
    }
    expect(templates.size).toBe(1)
  })

  test('a 9p directory is mounted again after a reset or a reboot by the guest, as is a read-only one', async () => {
    const vm = await ready({
      allowReboot: true,
      devices: [
        p9Directory(directory({ name: 'shared' }), { mountAt: '/mnt' }),
        readOnlyDirectory(directory({ name: 'copied' }), { mountAt: '/data' }),
      ],
    })
    await vm.run('touch /tmp/before')
    await vm.reset()
    // The first wait only finds the prompt, and the second one also waits for the mounts.
    await vm.expect('coldboot# ')
    const [names, old] = await Promise.all([printed(vm, 'cat /mnt/name /data/name'), printed(vm, 'ls /tmp')])
    expect(names).toBe('sharedcopied')
    expect(old).toBe('')
    vm.send('reboot -f\n')
    await vm.expect('coldboot# ')
    // The mounts have started.
    await turn()
    expect(await printed(vm, 'cat /mnt/name /data/name; ls /tmp')).toBe('sharedcopied')
  })

  test('a 9p directory is available to prepare, and to the machines afterwards', async () => {
    const shared = directory({ tool: 'from the host' })
    const options: VMOptions = {
      devices: [p9Directory(shared, { mountAt: '/mnt' })],
      prepare: (vm) => vm.run('cp /mnt/tool /root/tool'),
    }
    for (const content of ['from the host', 'later']) {
      writeFileSync(join(shared, 'tool'), content)
      const vm = await ready(options)
      expect(await printed(vm, 'cat /root/tool; echo; cat /mnt/tool')).toBe(`from the host\n${content}`)
    }
  })

  test('a 9p directory that prepare keeps in use prevents the save', async () => {
    const devices = [p9Directory(directory({}), { mountAt: '/mnt' })]
    const busy = Template.build(
      { ...guest, devices },
      { prepare: (vm) => vm.run('cd /mnt; sleep 1000 >/dev/null 2>&1 &') },
    )
    await expect(busy).rejects.toMatchObject({
      code: 'TEMPLATE_UNSAVABLE',
      message: expect.stringMatching(/umount.*busy/i) as string,
    })
  })

  test('a 9p directory is mounted before code of the start that may need it, at the price of a boot for each machine', async () => {
    const devices = [p9Directory(directory({ tool: 'needed' }), { mountAt: '/mnt' })]
    const vm = await ready({ ...early, devices, template: 'auto' })
    expect(await printed(vm, 'cat /root/by-init /root/by-profile')).toBe('neededneeded')
  })
})

describe('a read-only directory', () => {
  test('a read-only directory has separate content in each machine of one template', async () => {
    const templates = new Set<string>()
    for (const [name, bytes] of [
      ['small', 10],
      ['large', 40 << 20],
      ['third', 20],
    ] as const) {
      const shared = directory({ [name]: name[0]?.repeat(bytes) ?? '' })
      mkdirSync(join(shared, 'below'))
      const vm = await ready({ devices: [readOnlyDirectory(shared, { mountAt: '/mnt' })] })
      expect(await printed(vm, `ls /mnt; wc -c </mnt/${name}; tail -c 1 /mnt/${name}`)).toBe(
        `${['below', name].toSorted().join('\n')}\n${bytes}\n${name[0]}`,
      )
      templates.add(templateOf(vm))
    }
    expect(templates.size).toBe(1)
  })

  test('read-only directories are read again in each machine', async () => {
    const machine = (files: Readonly<Record<string, string>>): Promise<VM> =>
      ready({
        devices: [
          readOnlyDirectory(directory({ same: 'tools' }), { mountAt: '/tools', label: 'tools' }),
          readOnlyDirectory(directory(files), { mountAt: '/data' }),
        ],
      })
    const [one, two] = [await machine({ name: 'one' }), await machine({ name: 'two' })]
    expect(await printed(one, 'cat /tools/same /data/name')).toBe('toolsone')
    expect(await printed(two, 'cat /tools/same /data/name')).toBe('toolstwo')
    expect(templateOf(two)).toBe(templateOf(one))
  })

  test('a read-only directory is part of the template if prepare may have read it', async () => {
    const shared = directory({ tool: 'first' })
    const options: VMOptions = {
      devices: [readOnlyDirectory(shared, { mountAt: '/mnt' })],
      prepare: (vm) => vm.run('cp /mnt/tool /root/tool'),
    }
    for (const content of ['first', 'second']) {
      writeFileSync(join(shared, 'tool'), content)
      expect(await printed(await ready(options), 'cat /root/tool')).toBe(content)
    }
  })
})

describe('a disk of each machine', () => {
  /** Creates an image that starts with a text. Size in MiB. */
  function image(text: string, size: number): string {
    const path = join(mkdtempSync(join(scratch, 'image-')), 'disk.img')
    writeFileSync(path, Buffer.alloc(size << 20, `${text}\n`))
    return path
  }

  /** Creates an image with a partition of 1 MiB at 1 MiB. */
  function partitionedImage(): string {
    const path = image('', 4)
    const sector = Buffer.alloc(512)
    sector.writeUInt8(0x0c, 446 + 4)
    sector.writeUInt32LE(2_048, 446 + 8)
    sector.writeUInt32LE(2_048, 446 + 12)
    sector.writeUInt16BE(0x55aa, 510)
    writeFileSync(path, sector, { flag: 'r+' })
    return path
  }

  const LOOK = 'head -n 1 /dev/sda; cat /sys/block/sda/size'

  test('a disk has separate images in machines of one template, and keeps writes in the machine', async () => {
    const [small, large] = [image('small', 1), image('large', 40)]
    const templates = new Set<string>()
    for (const [path, expected] of [
      [small, 'small\n2048\n'],
      [large, 'large\n81920\n'],
      [large, 'large\n81920\n'],
      [small, 'small\n2048\n'],
    ] as const) {
      const vm = await ready({ devices: [blockDevice(path, { perMachine: true })] })
      expect(await printed(vm, LOOK)).toBe(expected)
      await vm.run('echo changed >/dev/sda; sync')
      templates.add(templateOf(vm))
    }
    expect(readFileSync(small, 'latin1').slice(0, 6)).toBe('small\n')
    expect(templates.size).toBe(1)
  })

  test('a disk is found by its serial number, with its partitions', async () => {
    const one = image('one', 2)
    const machine = (second: string): Promise<VM> =>
      ready({
        devices: [
          blockDevice(one, { perMachine: true, serial: 'first' }),
          blockDevice(second, { perMachine: true, readOnly: true }),
        ],
      })
    const disk = 'grep -l COLDBOOT1 /sys/block/sd*/device/vpd_pg80 | cut -d / -f 4'
    const other = await machine(image('two', 1))
    const vm = await machine(partitionedImage())
    expect(await printed(vm, `ls /sys/block/$(${disk}) | grep ^sd; cat /sys/block/$(${disk})/ro`)).toMatch(
      /^sd[ab]1\n1\n$/,
    )
    expect(
      await printed(
        vm,
        'head -n 1 /dev/$(basename $(dirname $(dirname $(grep -l first /sys/block/sd*/device/vpd_pg80))))',
      ),
    ).toBe('one\n')
    expect(templateOf(vm)).toBe(templateOf(other))
  })

  test('a disk is part of the template if prepare may have read it', async () => {
    const path = image('used', 1)
    const options: VMOptions = {
      devices: [blockDevice(path, { perMachine: true })],
      prepare: (vm) => vm.run('head -c 4 /dev/sda >/root/seen'),
    }
    expect(await printed(await ready(options), 'cat /root/seen')).toBe('used')
    writeFileSync(path, Buffer.alloc(1 << 20, 'other\n'))
    expect(await printed(await ready(options), 'cat /root/seen')).toBe('othe')
  })
})
