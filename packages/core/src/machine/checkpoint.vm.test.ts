/** Tests of checkpoints: machines that revert to a checkpoint, and machines that start from one. */
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { blockDevice } from '../devices/block-device.ts'
import { channel } from '../devices/channel.ts'
import { Network } from '../devices/network.ts'
import { p9Directory } from '../devices/p9-directory.ts'
import { userNetwork } from '../devices/user-network.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import { liveMachines } from '../host/machines/live-machines.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'
import type { Checkpoint } from './checkpoint.ts'
import { VM } from './vm.ts'

type GuestOptions = NonNullable<Parameters<typeof linuxGuest>[0]>

beforeAll(async () => {
  await linuxGuest()
}, 300_000)
afterAll(() => expect(liveMachines()).toEqual([]))

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

async function start(more: MachineOptions = {}, guest: GuestOptions = {}): Promise<VM> {
  return closing(await startReady({ ...(await linuxGuest(guest)), timeout: 60_000, ...more }))
}

async function checkpointOf(vm: VM): Promise<Checkpoint> {
  const checkpoint = await vm.checkpoint()
  onTestFinished(() => checkpoint.remove())
  return checkpoint
}

async function stdout(vm: VM, command: string): Promise<string> {
  return (await vm.run(command)).stdout
}

test('a checkpoint that is removed during a start is kept until it has ended', async () => {
  const vm = await start()
  await vm.run('touch /tmp/file')
  const checkpoint = await vm.checkpoint()
  const [other] = await Promise.all([checkpoint.start({ name: 'other' }), checkpoint.remove()])
  expect(await stdout(closing(other), 'ls /tmp')).toBe('file\n')
  await expect(checkpoint.start()).rejects.toMatchObject({ code: 'CHECKPOINT_GONE' })
})

test('saves, dumps and pauses at the same time follow each other', async () => {
  const vm = await start()
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const [file, dump] = ['machine.coldboot', 'dump'].map((name) => join(directory, name)) as [string, string]
  await Promise.all([checkpointOf(vm), vm.save(file), vm.dumpMemory(dump), checkpointOf(vm), vm.reset(), vm.pause()])
  expect(vm.isPaused).toBe(true)
  await vm.unpause()
  expect(await stdout(vm, 'echo on')).toBe('on\n')
  for (const path of [file, dump]) expect(statSync(path).size).toBeGreaterThan(1_000_000)
  await vm.save(file, { goOn: false })
  expect(vm.isPaused).toBe(true)
})

test('a machine reverts repeatedly, with its console, and has the current time', async () => {
  const events: MachineEvent[] = []
  const vm = await start({ observer: () => (event) => void events.push(event) })
  let hasEnded = false
  void vm.ended.then(() => {
    hasEnded = true
  })
  await vm.run('echo one >/tmp/state; dd if=/dev/urandom of=/tmp/data bs=1M count=4 2>/dev/null')
  const sum = await stdout(vm, 'md5sum </tmp/data')
  const checkpoint = await checkpointOf(vm)
  // Pages that are unchanged since the start of the machine are not part of the checkpoint.
  const [state] = checkpoint.snapshot.states
  expect(state?.isWhole).toBe(false)
  expect(statSync(state?.path ?? '').size).toBeLessThan(40 * 2 ** 20)
  const seen = new Set<string>()
  for (let turn = 0; turn < 2; turn++) {
    vm.send(`echo undone-$((${turn} + 40))\n`)
    await vm.expect(`undone-${turn + 40}\n`)
    await vm.run('echo two >/tmp/state; rm /tmp/data; dd if=/dev/urandom of=/tmp/more bs=1M count=8 2>/dev/null')
    const { pid } = vm
    await vm.revert(checkpoint)
    expect(vm.pid).not.toBe(pid)
    expect(await stdout(vm, 'cat /tmp/state; ls /tmp/more 2>/dev/null; md5sum </tmp/data')).toBe(`one\n${sum}`)
    expect(vm.hasPrinted(`undone-${turn + 40}\n`)).toBeUndefined()
    expect(vm.hasPrinted('BusyBox')).toBeDefined()
    expect(Math.abs(Number(await stdout(vm, 'date +%s')) - Date.now() / 1000)).toBeLessThan(60)
    seen.add(await stdout(vm, 'cat /proc/sys/kernel/random/uuid'))
  }
  expect(seen.size).toBe(2)
  expect(vm.state).toBe('running')
  expect(hasEnded).toBe(false)
  const marks = events.flatMap((event) => ('name' in event ? [`${event.kind} ${event.name}`] : []))
  expect(marks).toEqual(['checkpoint checkpoint 1', 'revert checkpoint 1', 'revert checkpoint 1'])
  await vm.close()
  await vm.ended
  expect(events.filter(({ kind }) => kind === 'exit')).toHaveLength(1)
})

test('a checkpoint of a machine that was started from a checkpoint stores only the difference', async () => {
  const vm = await start()
  await vm.run('echo one >/tmp/one')
  const first = await checkpointOf(vm)
  const other = closing(await first.start({ name: 'other' }))
  expect(other.name).toBe('other')
  await other.run('echo two >/tmp/two')
  const second = await checkpointOf(other)
  // The second checkpoint keeps the states that it depends on.
  await first.remove()
  await other.close()
  const last = closing(await second.start())
  expect(await stdout(last, 'cat /tmp/one /tmp/two')).toBe('one\ntwo\n')
  expect(await stdout(vm, 'ls /tmp')).toBe('one\n')
  await expect(first.start()).rejects.toMatchObject({ code: 'CHECKPOINT_GONE' })
  await expect(vm.revert(second)).rejects.toMatchObject({ code: 'CHECKPOINT_GONE' })
})

describe('devices', () => {
  test('disks are reverted, and the handles of channels, networks and ports still work', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'disk'), Buffer.alloc(1 << 20))
    await using network = new Network()
    const [nic, results, web] = [network.nic(), channel('results'), userNetwork({ forward: [{ guest: 80 }] })]
    const vm = await start(
      { devices: [blockDevice(join(folder, 'disk')), nic, results, web] },
      { modules: ['virtio_blk', 'virtio_net'] },
    )
    const port = results.of(vm)
    const setUp =
      'ip link set eth1 up; ip addr add 10.0.2.15/24 dev eth1; echo hello >/tmp/index.html; httpd -p 80 -h /tmp'
    await vm.run(`echo before | dd of=/dev/vda conv=fsync; ${setUp}`)
    const checkpoint = await checkpointOf(vm)
    await vm.run('echo after. | dd of=/dev/vda conv=fsync')
    await nic.down()
    await vm.revert(checkpoint)
    expect(await stdout(vm, 'head -n 1 /dev/vda')).toBe('before\n')
    expect(await (await fetch(`http://127.0.0.1:${web.of(vm).hostPort(80)}/`)).text()).toBe('hello\n')
    await vm.run(`echo '{"event":"done"}' >/dev/virtio-ports/results`)
    expect((await port.events().next()).value).toEqual({ event: 'done' })
    // The cable keeps the state that the test has set.
    await vm.run('ip link set eth0 up')
    expect(await stdout(vm, 'cat /sys/class/net/eth0/carrier')).toBe('0\n')
    await nic.up()
    await vm.waitUntil('grep -q 1 /sys/class/net/eth0/carrier')
    // A card can be in one machine at a time.
    await expect(checkpoint.start()).rejects.toMatchObject({ code: 'DEVICE_CONFLICT' })
    await vm.close()
    expect(await stdout(closing(await checkpoint.start()), 'head -n 1 /dev/vda')).toBe('before\n')
  })

  test('a machine that was booted has checkpoints too, and a fixed port belongs to one machine at a time', async () => {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    const web = userNetwork({ forward: [{ guest: 80, host: port }] })
    // Booted, because a template with this port would not be used by a later run.
    const vm = closing(await VM.boot({ ...(await linuxGuest()), timeout: 60_000, devices: [web] }))
    await vm.ready()
    const checkpoint = await checkpointOf(vm)
    await vm.run('touch /tmp/later')
    await expect(checkpoint.start()).rejects.toMatchObject({
      code: 'DEVICE_CONFLICT',
      message: expect.stringContaining(`port ${port} of the host`) as string,
    })
    await vm.revert(checkpoint)
    expect(await stdout(vm, 'ls /tmp')).toBe('')
    expect(web.hostPort(80)).toBe(port)
    await vm.close()
    const other = closing(await checkpoint.start())
    expect(web.of(other).hostPort(80)).toBe(port)
  })

  test('a shared directory is not reverted, and prevents a checkpoint while it is in use', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    const vm = await start({ devices: [p9Directory(folder, { mountAt: '/mnt' })] }, { flavour: 'generic' })
    const checkpoint = await checkpointOf(vm)
    await vm.run('echo kept >/mnt/file; echo gone >/tmp/file')
    await vm.revert(checkpoint)
    expect(await stdout(vm, 'cat /mnt/file; ls /tmp')).toBe('kept\n')
    await vm.run('cd /mnt && sleep 1000 & sleep 0.1')
    await expect(vm.checkpoint()).rejects.toMatchObject({ code: 'ATTACH_FAILED' })
    expect(await stdout(vm, 'cat /mnt/file')).toBe('kept\n')
  })
})
