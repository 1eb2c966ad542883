/** Tests of layers over another template: steps of `prepare`, and `template.extend`. */
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { expectAnswer, quickGuest } from '../../test/quick-guest.ts'
import { blockDevice } from '../devices/block-device.ts'
import { p9Directory } from '../devices/p9-directory.ts'
import { liveMachines } from '../host/machines/live-machines.ts'
import type { VM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { endPool } from './pool/end-pool.ts'
import { startReady } from './start-ready.ts'
import { COMPOSED_DIRECTORY } from './store/template-folder.ts'
import { templateStore } from './store/template-store.ts'
import { Template } from './template.ts'

const cache = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
/** For tests that need no Linux. */
const quick = quickGuest(join(cache, 'quick.img'))
let guest: MachineOptions
let withDisks: MachineOptions
/** Steps that have run. */
let ran: string[] = []

beforeAll(async () => {
  guest = { ...(await linuxGuest()), memory: '128M', timeout: 60_000 }
  // Called before the cache changes, because the cache has the unpacked kernel.
  withDisks = { ...(await linuxGuest({ modules: ['virtio_blk'] })), timeout: 60_000 }
  vi.stubEnv('COLDBOOT_CACHE', cache)
}, 300_000)
beforeEach(() => {
  ran = []
})
afterAll(async () => {
  await endPool()
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true, force: true })
  expect(liveMachines()).toEqual([])
})

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

async function stdout(vm: VM, command: string): Promise<string> {
  return (await vm.run(command)).stdout
}

const install = async (vm: VM): Promise<void> => {
  ran.push('install')
  await vm.run('dd if=/dev/urandom of=/tmp/installed bs=1M count=2 2>/dev/null; md5sum </tmp/installed >/tmp/sum')
}
const load = async (vm: VM): Promise<void> => {
  ran.push('load')
  await vm.run('echo data >/tmp/data')
}
const quickInstall = async (vm: VM): Promise<void> => {
  ran.push('install')
  vm.send('installed\n')
  await vm.expect('INSTALLED\n')
}
const quickLoad = async (vm: VM): Promise<void> => {
  ran.push('load')
  vm.send('loaded\n')
  await vm.expect('LOADED\n')
}
/** Waits for the answer of a machine that both steps have prepared. */
async function expectPrepared(vm: VM): Promise<void> {
  expect(vm.output).toMatch(/INSTALLED\n[^]*LOADED\n$/)
  await expectAnswer(vm)
}

const CHECK = '[ "$(md5sum </tmp/installed)" = "$(cat /tmp/sum)" ] && cat /tmp/data'

test('a changed last step redoes only the last one', async () => {
  const first = await Template.build(guest, { prepare: [install, load] })
  expect(ran).toEqual(['install', 'load'])
  expect(await stdout(closing(await first.start()), CHECK)).toBe('data\n')
  // The first start has composed the memory of its layers.
  const composed = join(templateStore().directory(first.key), COMPOSED_DIRECTORY)
  expect(readdirSync(composed).toSorted()).toEqual(['manifest.json', 'memory', 'state'])
  const { ino } = statSync(composed)
  const vm = closing(await first.start())
  expect(await stdout(vm, CHECK)).toBe('data\n')
  expect(statSync(composed).ino).toBe(ino)
  // A damaged composed memory is made again.
  utimesSync(join(composed, 'memory'), 1, 1)
  expect(await stdout(closing(await first.start()), CHECK)).toBe('data\n')
  expect(statSync(composed).ino).not.toBe(ino)
  const again = await Template.build(guest, { prepare: [install, load] })
  expect(again.key).toBe(first.key)
  const changed = async (vm: VM): Promise<void> => {
    ran.push('changed')
    await vm.run('echo other >/tmp/data')
  }
  const second = await Template.build(guest, { prepare: [install, changed] })
  expect(ran).toEqual(['install', 'load', 'changed'])
  expect(await stdout(closing(await second.start()), CHECK)).toBe('other\n')
  // The machines do not share their writes.
  expect(await stdout(closing(await first.start()), CHECK)).toBe('data\n')
})

test('keys belong to their steps', async () => {
  const prepare = [quickInstall, quickLoad]
  await Template.build(quick, { prepare, key: ['1', '1'] })
  await Template.build(quick, { prepare, key: ['1', '2'] })
  expect(ran).toEqual(['install', 'load', 'load'])
  await Template.build(quick, { prepare, key: '3' })
  expect(ran).toEqual(['install', 'load', 'load', 'install', 'load'])
  const misfit = { code: 'INVALID_OPTION', message: expect.stringContaining('2 steps') as string }
  await expect(Template.build(quick, { prepare, key: ['1'] })).rejects.toMatchObject(misfit)
  await expect(startReady({ ...quick, prepare: quickLoad, templateKey: ['1'] })).rejects.toMatchObject({
    code: 'INVALID_OPTION',
  })
})

test('a template is extended, and a list of steps finds the same layers', async () => {
  const booted = await Template.build(guest)
  const installed = await booted.extend({ prepare: install, key: 'extended' })
  const loaded = await installed.extend({ prepare: load })
  expect(ran).toEqual(['install', 'load'])
  const list = await Template.build(guest, { prepare: [install, load], key: ['extended', ''] })
  expect([list.key, ran]).toEqual([loaded.key, ['install', 'load']])
  expect(await stdout(closing(await loaded.start()), CHECK)).toBe('data\n')
  expect(await stdout(closing(await installed.start()), 'ls /tmp')).toBe('installed\nsum\n')
  expect(await stdout(closing(await booted.start()), 'ls /tmp')).toBe('')
  await expect(booted.extend({ prepare: load, kye: '1' } as never)).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' })
})

test('five layers take far less than five times the memory file', async () => {
  let template = await Template.build(guest)
  const base = diskBytes(template.key)
  let all = 0
  for (let layer = 0; layer < 5; layer++) {
    template = await template.extend({ prepare: (vm) => vm.run('echo more >>/tmp/log'), key: String(layer) })
    all += diskBytes(template.key)
  }
  expect(all).toBeLessThan(1.5 * base)
  expect(await stdout(closing(await template.start()), 'wc -l </tmp/log')).toBe('5\n')
})

function diskBytes(key: string): number {
  return (
    templateStore()
      .list()
      .find((entry) => entry.key === key)?.diskBytes ?? 0
  )
}

test('concurrent builds make each layer once', async () => {
  const build = (): Promise<Template> => Template.build(quick, { prepare: [quickInstall, quickLoad], key: 'together' })
  const templates = await Promise.all([build(), build(), build()])
  expect(new Set(templates.map(({ key }) => key)).size).toBe(1)
  expect(ran).toEqual(['install', 'load'])
})

test('a layer without its base, or over another one, is made again', async () => {
  const prepare = [install, load]
  const build = (): Promise<Template> => Template.build(guest, { prepare, key: 'baseless' })
  const template = await build()
  const [, below = ''] = templateStore().lineage(template.key)
  await templateStore().remove(below)
  expect(await templateStore().find(template.key)).toBeUndefined()
  expect(readdirSync(join(cache, 'templates'))).not.toContain(template.key)
  await build()
  expect(ran).toEqual(['install', 'load', 'install', 'load'])
  // The base is made again with the same key, but from another boot.
  const [root = ''] = templateStore().lineage(template.key)
  await templateStore().remove(root)
  await Template.build(guest)
  const vm = closing(await template.start())
  expect(await stdout(vm, CHECK)).toBe('data\n')
  expect(await templateStore().find(template.key)).toBeUndefined()
})

test('a base that QEMU cannot load is made again', async () => {
  const wrapper = join(cache, 'qemu')
  // A QEMU that refuses to restore until the file exists.
  const [refused, allowed] = [join(cache, 'refused'), join(cache, 'allowed')]
  const refuse = `[ -e ${allowed} ] || { echo no >${refused}; touch ${allowed}; exit 1; }`
  const script = `case "$*" in *-incoming*) ${refuse};; esac\nexec qemu-system-x86_64 "$@"`
  writeFileSync(wrapper, `#!/bin/sh\n${script}\n`, { mode: 0o700 })
  const template = await Template.build(
    { ...quick, qemu: wrapper },
    { prepare: [quickInstall, quickLoad], key: 'refused' },
  )
  expect(statSync(refused).size).toBe(3)
  expect(ran).toEqual(['install', 'load'])
  await expectPrepared(closing(await template.start()))
})

test('a damaged layer is removed, the machine boots with all steps, and the next build makes it again', async () => {
  const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
  onTestFinished(() => warning.mockRestore())
  const options = { prepare: [quickInstall, quickLoad], key: 'damaged' }
  const template = await Template.build(quick, options)
  utimesSync(join(cache, 'templates', template.key, 'state'), 1, 1)
  await expectPrepared(closing(await template.start()))
  expect(ran).toEqual(['install', 'load', 'install', 'load'])
  await Template.build(quick, options)
  expect(ran).toEqual(['install', 'load', 'install', 'load', 'load'])
})

test('disks, checkpoints and the pool work over layers', async () => {
  const image = join(cache, 'disk')
  writeFileSync(image, Buffer.alloc(1 << 20))
  const options = { ...withDisks, devices: [blockDevice(image)] }
  const write = (text: string) => `echo ${text} | dd of=/dev/vda conv=fsync 2>/dev/null`
  const prepare = [(vm: VM) => vm.run('echo one | dd of=/dev/vda conv=fsync'), load]
  const vm = closing(await startReady({ ...options, prepare, pool: true, template: 'required' }))
  expect(await stdout(vm, 'head -n 1 /dev/vda')).toBe('one\n')
  const checkpoint = await vm.checkpoint()
  onTestFinished(() => checkpoint.remove())
  await vm.run(`${write('two')}; rm /tmp/data`)
  await vm.revert(checkpoint)
  expect(await stdout(vm, 'head -n 1 /dev/vda; cat /tmp/data')).toBe('one\ndata\n')
  await vm.run(write('two'))
  const pooled = closing(await startReady({ ...options, prepare, pool: true, template: 'required' }))
  expect(await stdout(pooled, 'head -n 1 /dev/vda; cat /tmp/data')).toBe('one\ndata\n')
  expect(ran).toEqual(['load'])
})

test('steps may read shared directories, and one that stays in use makes the layer unsavable', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'file'), 'shared\n')
  const options = { ...guest, devices: [p9Directory(folder, { mountAt: '/mnt' })] }
  const template = await Template.build(options, { prepare: [(vm) => vm.run('cp /mnt/file /tmp')] })
  const vm = closing(await template.start())
  expect(await stdout(vm, 'cat /tmp/file /mnt/file')).toBe('shared\nshared\n')
  const staying = { prepare: (vm: VM) => vm.run('cd /mnt && sleep 1000 & sleep 0.1') }
  await expect(template.extend(staying)).rejects.toMatchObject({ code: 'TEMPLATE_UNSAVABLE' })
  await expect(template.extend(staying)).rejects.toMatchObject({ code: 'TEMPLATE_UNSAVABLE' })
})
