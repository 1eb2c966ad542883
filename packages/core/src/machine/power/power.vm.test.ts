/** Tests of buttons, paused CPUs, and power cuts. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { blockDevice } from '../../devices/block-device.ts'
import { userNetwork } from '../../devices/user-network.ts'
import type { MachineEvent } from '../../events/machine-event.ts'
import { liveMachines } from '../../host/machines/live-machines.ts'
import type { MachineOptions } from '../../spec/machine-options.ts'
import { startReady } from '../../template/start-ready.ts'
import type { VM } from '../vm.ts'

type GuestOptions = NonNullable<Parameters<typeof linuxGuest>[0]>

afterAll(() => expect(liveMachines()).toEqual([]))

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

async function start(more: MachineOptions = {}, guest: GuestOptions = {}): Promise<VM> {
  return closing(await startReady({ ...(await linuxGuest(guest)), timeout: 60_000, ...more }))
}

function actions(events: readonly MachineEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === 'power' ? [event.action] : []))
}

describe('buttons', () => {
  test('the power button reaches the guest as an ACPI event', async () => {
    const vm = await start({ arch: 'x86_64' }, { modules: ['button', 'evdev'] })
    const found = await vm.run(`grep -A 5 'Power Button' /proc/bus/input/devices | grep -o 'event[0-9]*'`)
    // The shell prints this after it has opened the device, because an earlier event would be lost.
    vm.send(`exec 3</dev/input/${found.stdout.trim()}; echo is''ready; head -c 24 <&3 >/dev/null; echo is''pressed\n`)
    await vm.expect('isready')
    await vm.powerButton()
    await vm.expect('ispressed')
    expect(vm.state).toBe('running')
  })

  test('a reset boots the guest again, in the same QEMU, without a reboot being allowed', async () => {
    const events: MachineEvent[] = []
    const vm = await start({ observer: () => (event) => void events.push(event) })
    const { pid } = vm
    await vm.run('touch /tmp/state')
    await vm.reset()
    await vm.ready()
    expect((await vm.run('ls /tmp')).stdout).toBe('')
    expect(vm.pid).toBe(pid)
    vm.send('reboot -f\n')
    expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-reset' })
    expect(actions(events)).toEqual(['reset'])
    await expect(vm.reset()).rejects.toMatchObject({ code: 'MACHINE_EXITED', message: /"vm" has ended/ })
  })

  test('a reset during a transfer does not disturb the commands of the next boot', async () => {
    const vm = await start()
    const transfer = vm.writeFile('/tmp/file', randomBytes(40 << 20))
    await vm.waitUntil('[ -s /tmp/file ]', { interval: 1 })
    await Promise.all([expect(transfer).rejects.toMatchObject({ code: 'COMMAND_LOST' }), vm.reset()])
    await vm.ready()
    expect((await vm.run('echo on')).stdout).toBe('on\n')
  })

  test('an NMI panics a guest that is set to do so', async () => {
    const vm = await start({ arch: 'x86_64' })
    await vm.run('echo 1 >/proc/sys/kernel/unknown_nmi_panic')
    const wait = vm.expect('never printed')
    await Promise.all([expect(wait).rejects.toMatchObject({ code: 'GUEST_PANICKED' }), vm.nmi()])
  })
})

test('paused CPUs execute nothing until they continue', async () => {
  const vm = await start()
  vm.send('stty -echo; echo "echo is"" off"\n')
  await vm.expect('echo is off\n')
  await vm.pause()
  expect(vm.isPaused).toBe(true)
  vm.send('echo "con"tinued\n')
  await expect(vm.expect('continued', { timeout: 200 })).rejects.toThrow(/CPUs of the machine are paused/)
  await expect(vm.waitForExit({ timeout: 100 })).rejects.toThrow(/did not end in time: its CPUs are paused/)
  await vm.unpause()
  await vm.expect('continued')
  expect(vm.isPaused).toBe(false)
})

describe('a power cut', () => {
  function ext4(): string {
    const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const image = join(folder, 'disk.img')
    writeFileSync(image, '')
    truncateSync(image, 64 << 20)
    // Always the same bytes, so that the machines of all runs share a template.
    const options = ['-U', ID, '-E', `hash_seed=${ID}`]
    execFileSync('mkfs.ext4', ['-q', ...options, image], { env: { ...process.env, E2FSPROGS_FAKE_TIME: '1' } })
    return image
  }
  const ID = '6d6c6b6a-0000-4000-8000-000000000001'
  const MODULES = ['virtio_blk', 'ext4']
  const MOUNT = 'mkdir -p /mnt/disk && mount -t ext4 -o commit=300 /dev/vda /mnt/disk'

  test('a power cut loses unflushed writes, keeps flushed ones, and leaves a recoverable file system', async () => {
    const events: MachineEvent[] = []
    const options = { devices: [blockDevice(ext4())], observer: () => (event: MachineEvent) => void events.push(event) }
    const vm = await start(options, { modules: MODULES })
    let hasEnded = false
    void vm.ended.then(() => {
      hasEnded = true
    })
    await vm.run(MOUNT)
    for (let turn = 1; turn <= 3; turn++) {
      await vm.run(`echo ${turn} >/mnt/disk/flushed-${turn}; sync; echo ${turn} >/mnt/disk/cached-${turn}`)
      const wait = vm.expect('never printed')
      await Promise.all([expect(wait).rejects.toThrow(/its power was cut/), vm.powerCut()])
      expect(vm.state).toBe('off')
      await expect(vm.run('true')).rejects.toThrow(/power was cut/)
      await expect(vm.powerButton()).rejects.toThrow(/is powered off\nCall `powerOn\(\)` first/)
      await expect(vm.waitForExit()).rejects.toThrow(/is powered off/)

      await vm.powerOn()
      await vm.run(MOUNT)
      const found = (await vm.run('cd /mnt/disk && cat flushed-* && ls')).stdout
      expect(found).toBe(`${Array.from({ length: turn }, (_, index) => `${index + 1}\n`).join('')}${listing(turn)}`)
    }
    expect(hasEnded).toBe(false)
    expect(vm.state).toBe('running')
    expect(vm.hasPrinted('EXT4-fs error')).toBeUndefined()
    expect((await vm.run('dmesg | grep "EXT4-fs (vda)"')).stdout).toMatch(/recovery complete/)
    expect(actions(events)).toEqual(['cut', 'on', 'cut', 'on', 'cut', 'on'])
    await vm.powerCut()
    const status = await vm.close()
    expect(await vm.ended).toEqual(status)
  })

  test('a log with a flush after each record has all acknowledged records after a power cut', async () => {
    const vm = await start({ devices: [blockDevice(ext4())] }, { modules: MODULES })
    await vm.run(MOUNT)
    vm.send(
      'stty -echo; n=0; while :; do n=$((n + 1)); echo "record $n" | dd of=/mnt/disk/log oflag=append conv=notrunc,fsync 2>/dev/null && echo "acknowledged $n."; done\n',
    )
    await vm.expect('acknowledged 5.')
    await vm.powerCut()
    const acknowledged = Number([...vm.output.matchAll(/acknowledged (\d+)\./g)].at(-1)?.[1])
    await vm.powerOn()
    await vm.run(MOUNT)
    const records = (await vm.run('cat /mnt/disk/log')).stdout.split('\n').filter((line) => line !== '')
    expect(acknowledged).toBeGreaterThanOrEqual(5)
    expect(records.length).toBeGreaterThanOrEqual(acknowledged)
    expect(records).toEqual(records.map((_, index) => `record ${index + 1}`))
  })

  test('a wait for the exit of the machine ends when its power is cut', async () => {
    const vm = await start()
    const wait = expect(vm.waitForExit()).rejects.toMatchObject({
      code: 'MACHINE_EXITED',
      message: expect.stringContaining('its power was cut'),
    })
    await vm.powerCut()
    await wait
  })

  test('a start after a cut is done once, and does not outlive `close()`', async () => {
    const vm = await start()
    await vm.powerCut()
    const [first, second] = await Promise.allSettled([vm.powerOn(), vm.powerOn()])
    expect(first).toMatchObject({ status: 'fulfilled' })
    expect(second).toMatchObject({ status: 'rejected', reason: { code: 'MACHINE_POWERED' } })
    await vm.powerCut()
    const started = vm.powerOn()
    await Promise.all([vm.close(), started])
    expect(liveMachines()).not.toContain(vm.spec.name)
    expect(vm.state).toBe('exited')
    await expect(vm.powerOn()).rejects.toMatchObject({ code: 'MACHINE_POWERED' })
  })

  test('a machine that was closed without power stays off', async () => {
    const vm = await start()
    const checkpoint = await vm.checkpoint()
    onTestFinished(() => checkpoint.remove())
    await vm.powerCut()
    const closed = vm.close()
    await expect(vm.powerOn()).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
    await expect(vm.revert(checkpoint)).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
    await closed
  })

  test('keeps the image, forwards ports again, and allows checkpoints and reverts', async () => {
    const net = userNetwork({ forward: [{ guest: 80 }] })
    const vm = await start({ devices: [net] })
    const checkpoint = await vm.checkpoint()
    onTestFinished(() => checkpoint.remove())
    await vm.run('touch /tmp/state')
    await expect(vm.powerOn()).rejects.toMatchObject({ code: 'MACHINE_POWERED' })
    await vm.powerCut()
    await vm.powerOn()
    await vm.ready()
    expect(vm.portForwards).toEqual([{ protocol: 'tcp', guest: 80, host: net.hostPort(80) }])
    await vm.powerCut()
    await vm.revert(checkpoint)
    expect((await vm.run('ls /tmp; echo back')).stdout).toBe('back\n')
  })
})

/** Files of {@link ext4} after some rounds, in the order of `ls`. */
function listing(turns: number): string {
  const names = Array.from({ length: turns }, (_, index) => `flushed-${index + 1}\n`)
  return [...names, 'lost+found\n'].join('')
}
