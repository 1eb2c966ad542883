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
import { expectAnswer, QUICK_MEMORY_MIB, quickGuest } from '../../test/quick-guest.ts'
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
/** A machine for tests that need no Linux guest. */
const quick = quickGuest(join(cache, 'quick.img'))
const prompt = 'coldboot# '

beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 60_000 }
  // A separate cache, because these tests damage templates.
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

/** Output of a command. */
async function output(vm: VM, command: string): Promise<string> {
  vm.send(`${command}; echo do''ne\n`)
  const { before } = await vm.expect('done\n')
  return before.slice(before.indexOf('\n') + 1)
}

/** Creates a file, and sets the clock back before the save, so that a restore must set it again. */
const prepareOld = async (vm: VM): Promise<void> => {
  vm.send('echo prepared > /tmp/state\n')
  await vm.expect(prompt)
  await vm.run('date -s 2001-01-01')
}

describe('a template', () => {
  test('a template starts machines that are booted and prepared, with all output consumed', async () => {
    const template = await Template.build(guest, { prepare: prepareOld })
    const vm = closing(await template.start({ name: 'clone' }))
    expect(vm.name).toBe('clone')
    expect(vm.hasPrinted('BusyBox')).toBeDefined()
    await expect(vm.expect('BusyBox', { timeout: 0 })).rejects.toMatchObject({ code: 'EXPECT_TIMEOUT' })
    expect(await output(vm, 'cat /tmp/state')).toBe('prepared\n')
    // The machine was ready before the save, so `ready()` does not wait again.
    expect((await vm.ready()).text).toBe(prompt)
    expect((await vm.run('cat /tmp/state')).stdout).toBe('prepared\n')
    const signal = AbortSignal.abort(new Error('the test is over'))
    await expect(template.start({ signal })).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
    expect(liveMachines()).toEqual(['clone'])
  })

  test('a template is found by the same options, and differs for other options, prepare or key', async () => {
    const one = await Template.build(quick)
    const prepare = (vm: VM) => vm.hasPrinted('x')
    const keys = [
      one,
      await Template.build({ ...quick, name: 'other', timeout: 1000 }),
      await Template.build({ ...quick, memory: '24M' }),
      await Template.build(quick, { prepare }),
      await Template.build(quick, { prepare, key: '2' }),
    ].map(({ key }) => key)
    expect(keys[1]).toBe(keys[0])
    expect(new Set(keys).size).toBe(4)
  })

  test('a template is built once by concurrent processes', async () => {
    const options: MachineOptions = { ...quick, memory: '32M' }
    const templates = await Promise.all([1, 2, 3].map(() => Template.build(options)))
    expect(new Set(templates.map(({ key }) => key)).size).toBe(1)
    const [template] = templates
    await expectAnswer(closing(await (template as Template).start()))
  })

  test('a template requires a ready pattern', async () => {
    await expect(Template.build({ ...guest, ready: undefined })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })
})

describe('machines of one template', () => {
  test('machines of one template share no changes', async () => {
    const template = await Template.build(guest)
    const first = closing(await template.start())
    await output(first, 'echo trace > /tmp/trace; dd if=/dev/zero of=/tmp/fill bs=1M count=20 2>/dev/null; ls /tmp')
    first.send('echo c > /proc/sysrq-trigger\n')
    await first.waitForExit()
    const second = closing(await template.start())
    expect(await output(second, 'ls /tmp')).toBe('')
  })

  test('machines of one template never give the same random bytes, nor the same boot id', async () => {
    const template = await Template.build(guest)
    const seen = new Set<string>()
    for (let machine = 0; machine < 4; machine++) {
      await using vm = await template.start()
      seen.add(await output(vm, 'head -c 16 /dev/urandom | md5sum'))
      seen.add(await output(vm, 'cat /proc/sys/kernel/random/boot_id'))
    }
    expect(seen.size).toBe(8)
  })

  test('machines of a template have the current time', async () => {
    const template = await Template.build(guest)
    const old = await Template.build(guest, { prepare: prepareOld })
    for (const from of [template, old]) {
      await using vm = await from.start()
      const seconds = Number(await output(vm, 'date +%s'))
      expect(Math.abs(seconds - Date.now() / 1000)).toBeLessThan(60)
    }
  })

  test('a restored machine is passed to onRestore before its guest runs, so that a film shows everything', async () => {
    const seen: unknown[] = []
    const observer = () => (event: MachineEvent) => {
      if (event.kind === 'qmp' && event.message['event'] === 'RESUME') seen.push('RESUME')
    }
    await Template.build(guest)
    const vm = closing(await startReady({ ...guest, observer }, { onRestore: (machine) => seen.push(machine) }))
    expect(seen).toEqual([vm, 'RESUME'])
  })

  test('machines of one template run concurrently', async () => {
    const template = await Template.build(guest)
    const vms = await Promise.all(['a', 'b', 'c'].map((name) => template.start({ name })))
    vms.map(closing)
    const outputs = await Promise.all(vms.map((vm) => output(vm, `echo ${vm.name}-$((1 + 1))`)))
    expect(outputs).toEqual(['a-2\n', 'b-2\n', 'c-2\n'])
  })

  test('machines of one template share most of their memory', async () => {
    const template = await Template.build(guest)
    const vm = closing(await template.start())
    await output(vm, 'true')
    const { readFileSync } = await import('node:fs')
    const rollup = readFileSync(`/proc/${vm.pid}/smaps_rollup`, 'utf8')
    // `Private_Dirty` would include pages of the template that no other machine has mapped at this moment.
    const kilobytes = Number(/^Anonymous:\s+(\d+) kB/m.exec(rollup)?.[1])
    expect(kilobytes).toBeGreaterThan(0)
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

  test.each(damages)(
    'a template with %s is removed, the machine boots, and the next build creates it again',
    async (_title, harm) => {
      const template = await Template.build(quick)
      const directory = join(cache, 'templates', template.key)
      harm(directory)
      await expectAnswer(closing(await template.start()))
      expect(existsSync(directory)).toBe(false)
      await Template.build(quick)
      expect(statSync(join(directory, 'memory')).size).toBe(QUICK_MEMORY_MIB * 2 ** 20)
    },
  )
})

test('reports why a QEMU ended during a restore, and boots the machine', async () => {
  const wrapper = join(cache, 'qemu')
  const refusal = 'qemu-system: cannot open memory: Permission denied'
  const script = `case "$*" in *-incoming*) echo '${refusal}' >&2; exit 1;; esac\nexec qemu-system-x86_64 "$@"`
  writeFileSync(wrapper, `#!/bin/sh\n${script}\n`, { mode: 0o700 })
  const warning = vi.spyOn(process, 'emitWarning').mockReturnValue()
  onTestFinished(() => warning.mockRestore())
  const template = await Template.build({ ...quick, qemu: wrapper })
  await expectAnswer(closing(await template.start()))
  expect(warning.mock.calls.map(([text]) => String(text))).toContainEqual(expect.stringContaining(refusal))
})

describe('a machine that cannot be saved', () => {
  // A device whose state QEMU cannot transfer.
  // Other devices, such as NVMe disks, can be saved by a newer QEMU.
  const devices = [...quick.devices, arbitraryArgs('-device', 'qemu-xhci', '-device', 'usb-uas')]

  test('a machine that cannot be saved is rejected with the reason of QEMU, and is not tried again', async () => {
    const refused = { code: 'TEMPLATE_UNSAVABLE', message: expect.stringMatching(/usb-uas/) as string }
    await expect(Template.build({ ...quick, devices })).rejects.toMatchObject(refused)
    const templates = readdirSync(join(cache, 'templates'))
    await expect(Template.build({ ...quick, devices })).rejects.toMatchObject(refused)
    expect(readdirSync(join(cache, 'templates'))).toEqual(templates)
  })

  test('a machine that cannot be saved boots for the test, unless a template is required', async () => {
    await expectAnswer(closing(await startReady({ ...quick, devices })))
    await expect(startReady({ ...quick, devices, template: 'required' })).rejects.toMatchObject({
      code: 'TEMPLATE_UNSAVABLE',
    })
  })
})

describe('a pooled machine', () => {
  test('a pooled machine is as fresh as another one, with its own console and entropy', async () => {
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

  test('a pooled machine is taken by one of several concurrent starts', async () => {
    const template = await Template.build(quick, { pool: true })
    await using _first = await template.start()
    const vms = await Promise.all([template.start(), template.start()])
    vms.map(closing)
    expect(new Set(vms.map(({ pid }) => pid)).size).toBe(2)
  })

  test('the pool has two machines if they are taken faster than they are restored', async () => {
    const template = await Template.build(quick, { pool: true })
    await using _first = await template.start()
    // A machine that is taken while it is restored makes the pool prepare two.
    await using second = await template.start()
    const vms = await Promise.all([template.start(), template.start(), template.start()])
    vms.map(closing)
    expect(new Set([second, ...vms].map(({ pid }) => pid)).size).toBe(4)
    await Promise.all(vms.map(expectAnswer))
    await endPool()
    expect(liveMachines()).toHaveLength(5)
  })

  test('the pool has as many machines as were started at once two times', async () => {
    const template = await Template.build(quick, { pool: true })
    const burst = (): Promise<VM[]> => Promise.all(Array.from({ length: 4 }, () => template.start()))
    for (const pooled of [1, 4]) {
      const vms = await burst()
      await warmPool.settled()
      expect(liveMachines()).toHaveLength(4 + pooled)
      await Promise.all(vms.map((vm) => vm.close()))
    }
    const last = await burst()
    last.map(closing)
    await Promise.all(last.map(expectAnswer))
  })

  test('a pooled machine is ended if it is not used', async () => {
    const template = await Template.build(quick, { pool: true })
    await using _vm = await template.start()
    await endPool()
    expect(liveMachines()).toHaveLength(1)
  })
})
