import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { arbitraryArgs } from '../devices/arbitrary-args.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import { liveMachines } from '../host/machines/live-machines.ts'
import type { VM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { endPool } from './pool/end-pool.ts'
import { warmPool } from './pool/warm-pool.ts'
import { startReady } from './start-ready.ts'
import { Template } from './template.ts'

const cache = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
let guest: MachineOptions
const prompt = 'coldboot# '

beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 60_000 }
  // Templates of this file alone: what it damages is its own.
  vi.stubEnv('COLDBOOT_CACHE', cache)
}, 300_000)
afterEach(endPool)
afterAll(() => {
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true, force: true })
  expect(liveMachines()).toEqual([])
})

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** What a command prints. */
async function output(vm: VM, command: string): Promise<string> {
  vm.send(`${command}; echo do''ne\n`)
  const { before } = await vm.expect('done\n')
  return before.slice(before.indexOf('\n') + 1)
}

describe('a template', () => {
  test('starts machines that are booted and prepared, with all output consumed', async () => {
    const template = await Template.build(guest, {
      prepare: async (vm) => {
        vm.send('echo prepared > /tmp/state\n')
        await vm.expect(prompt)
      },
    })
    const vm = closing(await template.start({ name: 'clone' }))
    expect(vm.name).toBe('clone')
    expect(vm.hasPrinted('BusyBox')).toBeDefined()
    await expect(vm.expect('BusyBox', { timeout: 0 })).rejects.toMatchObject({ code: 'EXPECT_TIMEOUT' })
    expect(await output(vm, 'cat /tmp/state')).toBe('prepared\n')
    // Readiness was before the save: it is not waited for again.
    expect((await vm.ready()).text).toBe(prompt)
    expect((await vm.run('cat /tmp/state')).stdout).toBe('prepared\n')
  })

  test('is found by the same options, and differs for other options, prepare or key', async () => {
    const one = await Template.build(guest)
    const prepare = (vm: VM) => vm.hasPrinted('x')
    const keys = [
      one,
      await Template.build({ ...guest, name: 'other', timeout: 1000 }),
      await Template.build({ ...guest, memory: '128M' }),
      await Template.build(guest, { prepare }),
      await Template.build(guest, { prepare, key: '2' }),
    ].map(({ key }) => key)
    expect(keys[1]).toBe(keys[0])
    expect(new Set(keys).size).toBe(4)
  })

  test('is built once by concurrent processes', async () => {
    const options: MachineOptions = { ...guest, memory: '160M' }
    const templates = await Promise.all([1, 2, 3].map(() => Template.build(options)))
    expect(new Set(templates.map(({ key }) => key)).size).toBe(1)
    const [template] = templates
    const vm = closing(await (template as Template).start())
    expect(await output(vm, 'echo $((40 + 2))')).toBe('42\n')
  })

  test('requires a ready pattern', async () => {
    await expect(Template.build({ ...guest, ready: undefined })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('machines of one template', () => {
  test('share no changes', async () => {
    const template = await Template.build(guest)
    const first = closing(await template.start())
    await output(first, 'echo trace > /tmp/trace; dd if=/dev/zero of=/tmp/fill bs=1M count=100 2>/dev/null; ls /tmp')
    first.send('echo c > /proc/sysrq-trigger\n')
    await first.waitForExit()
    const second = closing(await template.start())
    expect(await output(second, 'ls /tmp')).toBe('')
  })

  test('never give the same random bytes, nor the same boot id', async () => {
    const template = await Template.build(guest)
    const seen = new Set<string>()
    for (let machine = 0; machine < 4; machine++) {
      await using vm = await template.start()
      seen.add(await output(vm, 'head -c 16 /dev/urandom | md5sum'))
      seen.add(await output(vm, 'cat /proc/sys/kernel/random/boot_id'))
    }
    expect(seen.size).toBe(8)
  })

  test('have the current time', async () => {
    const template = await Template.build(guest)
    // Set back before the save: the time of a restored machine is not the time of its save.
    const old = await Template.build(guest, {
      prepare: (vm) => vm.run('date -s 2001-01-01'),
    })
    for (const from of [template, old]) {
      await using vm = await from.start()
      const seconds = Number(await output(vm, 'date +%s'))
      expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60)
    }
  })

  test('are passed on before their guests run, so that a film shows all of it', async () => {
    const seen: unknown[] = []
    const observer = () => (event: MachineEvent) => {
      if (event.kind === 'qmp' && event.message['event'] === 'RESUME') seen.push('RESUME')
    }
    await Template.build(guest)
    const vm = closing(await startReady({ ...guest, observer }, { onRestore: (machine) => seen.push(machine) }))
    expect(seen).toEqual([vm, 'RESUME'])
  })

  test('run concurrently', async () => {
    const template = await Template.build(guest)
    const vms = await Promise.all(['a', 'b', 'c'].map((name) => template.start({ name })))
    vms.map(closing)
    const outputs = await Promise.all(vms.map((vm) => output(vm, `echo ${vm.name}-$((1 + 1))`)))
    expect(outputs).toEqual(['a-2\n', 'b-2\n', 'c-2\n'])
  })

  test('share most of their memory', async () => {
    const template = await Template.build(guest)
    const vm = closing(await template.start())
    await output(vm, 'true')
    const { readFileSync } = await import('node:fs')
    const rollup = readFileSync(`/proc/${vm.pid}/smaps_rollup`, 'utf8')
    const kilobytes = [...rollup.matchAll(/^Private_(?:Clean|Dirty):\s+(\d+) kB/gm)].reduce(
      (sum, [, kB]) => sum + Number(kB),
      0,
    )
    expect(kilobytes).toBeLessThan(60 * 1024)
  })
})

describe('a template that was damaged', () => {
  const damages: readonly [string, (directory: string) => void][] = [
    ['a truncated memory file', (directory) => damage(directory, 'memory', (path) => truncateSync(path, 4096))],
    ['a memory file that was written to', (directory) => damage(directory, 'memory', (path) => utimesSync(path, 1, 1))],
    ['a changed state', (directory) => damage(directory, 'state', (path) => writeFileSync(path, 'nonsense'))],
    ['a missing state', (directory) => damage(directory, 'state', (path) => rmSync(path))],
    ['no manifest', (directory) => rmSync(join(directory, 'manifest.json'))],
  ]

  function damage(directory: string, name: string, how: (path: string) => void): void {
    const path = join(directory, name)
    chmodSync(path, 0o600)
    how(path)
  }

  test.each(damages)('%s: is removed, the machine boots, and the next build creates it again', async (_title, harm) => {
    const template = await Template.build(guest)
    const directory = join(cache, 'templates', template.key)
    harm(directory)
    const vm = closing(await template.start())
    expect(await output(vm, 'echo $((40 + 2))')).toBe('42\n')
    expect(existsSync(directory)).toBe(false)
    await Template.build(guest)
    expect(statSync(join(directory, 'memory')).size).toBe(256 * 2 ** 20)
  })
})

test('reports why a QEMU ended during a restore, and boots the machine', async () => {
  const wrapper = join(cache, 'qemu')
  const refusal = 'qemu-system: cannot open memory: Permission denied'
  const script = `case "$*" in *-incoming*) echo '${refusal}' >&2; exit 1;; esac\nexec qemu-system-x86_64 "$@"`
  writeFileSync(wrapper, `#!/bin/sh\n${script}\n`, { mode: 0o700 })
  const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
  onTestFinished(() => warning.mockRestore())
  const template = await Template.build({ ...guest, qemu: wrapper })
  const vm = closing(await template.start())
  expect(await output(vm, 'echo $((40 + 2))')).toBe('42\n')
  expect(warning.mock.calls.map(([text]) => String(text))).toContainEqual(expect.stringContaining(refusal))
})

describe('a machine that cannot be saved', () => {
  // A device whose state QEMU cannot transfer.
  // Other devices, such as NVMe disks, can be saved by a newer QEMU.
  const devices = [arbitraryArgs('-device', 'qemu-xhci', '-device', 'usb-uas')]

  test('is rejected with the reason of QEMU, and is not tried again', async () => {
    const refused = { code: 'TEMPLATE_UNSAVABLE', message: expect.stringMatching(/usb-uas/) as string }
    await expect(Template.build({ ...guest, devices })).rejects.toMatchObject(refused)
    const templates = readdirSync(join(cache, 'templates'))
    await expect(Template.build({ ...guest, devices })).rejects.toMatchObject(refused)
    expect(readdirSync(join(cache, 'templates'))).toEqual(templates)
  })

  test('boots for the test, unless a template is required', async () => {
    const vm = closing(await startReady({ ...guest, devices }))
    expect(await output(vm, 'echo $((40 + 2))')).toBe('42\n')
    await expect(startReady({ ...guest, devices, template: 'required' })).rejects.toMatchObject({
      code: 'TEMPLATE_UNSAVABLE',
    })
  })
})

describe('a pooled machine', () => {
  test('is as fresh as another one, with its own console and entropy', async () => {
    const template = await Template.build(guest, { pool: true })
    const seen = new Set<string>()
    for (let machine = 0; machine < 3; machine++) {
      await using vm = await template.start()
      expect(await output(vm, 'ls /tmp')).toBe('')
      expect(vm.hasPrinted('BusyBox')).toBeDefined()
      await output(vm, 'touch /tmp/trace')
      seen.add(await output(vm, 'head -c 16 /dev/urandom | md5sum'))
    }
    expect(seen.size).toBe(3)
  })

  test('is taken by one of several concurrent starts', async () => {
    const template = await Template.build(guest, { pool: true })
    await using _first = await template.start()
    const vms = await Promise.all([template.start(), template.start()])
    vms.map(closing)
    expect(new Set(vms.map(({ pid }) => pid)).size).toBe(2)
  })

  test('gets a second one if machines are taken faster than they are restored', async () => {
    const template = await Template.build(guest, { pool: true })
    await using _first = await template.start()
    // Taken while it is being made, which asks for two.
    await using second = await template.start()
    const vms = await Promise.all([template.start(), template.start(), template.start()])
    vms.map(closing)
    expect(new Set([second, ...vms].map(({ pid }) => pid)).size).toBe(4)
    expect(await Promise.all(vms.map((vm) => output(vm, 'echo $((40 + 2))')))).toEqual(['42\n', '42\n', '42\n'])
    await endPool()
    expect(liveMachines()).toHaveLength(5)
  })

  test('has as many machines as were started at once', async () => {
    const template = await Template.build(guest, { pool: true })
    const burst = (): Promise<VM[]> => Promise.all(Array.from({ length: 4 }, () => template.start()))
    const first = await burst()
    await warmPool.settled()
    expect(liveMachines()).toHaveLength(8)
    await Promise.all(first.map((vm) => vm.close()))
    const second = await burst()
    second.map(closing)
    expect(await Promise.all(second.map((vm) => output(vm, 'echo $((40 + 2))')))).toEqual([
      '42\n',
      '42\n',
      '42\n',
      '42\n',
    ])
  })

  test('is ended if it is not used', async () => {
    const template = await Template.build(guest, { pool: true })
    await using _vm = await template.start()
    await endPool()
    expect(liveMachines()).toHaveLength(1)
  })
})
