/** Tests of machines that are saved to a file while they run, and resumed from it. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { expectAnswer, quickGuest } from '../../../test/quick-guest.ts'
import { arbitraryArgs } from '../../devices/arbitrary-args.ts'
import { blockDevice } from '../../devices/block-device.ts'
import { channel } from '../../devices/channel.ts'
import type { Device } from '../../devices/device.ts'
import { Network } from '../../devices/network.ts'
import { p9Directory } from '../../devices/p9-directory.ts'
import { readOnlyDirectory } from '../../devices/read-only-directory.ts'
import { userNetwork } from '../../devices/user-network.ts'
import { liveMachines } from '../../host/machines/live-machines.ts'
import type { MachineOptions } from '../../spec/machine-options.ts'
import { startReady } from '../../template/start-ready.ts'
import { VM } from '../../vm.ts'

type GuestOptions = NonNullable<Parameters<typeof linuxGuest>[0]>

let folder: string
let file: string

beforeAll(async () => {
  await linuxGuest()
}, 300_000)
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  file = join(folder, 'machine.coldboot')
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
})
afterAll(() => expect(liveMachines()).toEqual([]))

function closing<Machine extends VM>(vm: Machine): Machine {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** A machine at its prompt. */
async function start(more: MachineOptions = {}, guest: GuestOptions = {}): Promise<VM> {
  return closing(await startReady({ ...(await linuxGuest(guest)), timeout: 60_000, ...more }))
}

async function resume(options: Parameters<typeof VM.resume>[1] = {}): Promise<VM> {
  return closing(await VM.resume(file, { timeout: 60_000, ...options }))
}

async function stdout(vm: VM, command: string): Promise<string> {
  return (await vm.run(command)).stdout
}

describe('a machine started from a template', () => {
  test('continues after a save, and can be resumed from the file several times', async () => {
    const vm = await start({ name: 'first' })
    await vm.run('echo kept >/tmp/state; sleep 1000 & echo $! >/tmp/pid')
    vm.send('echo printed-$((40 + 2))\n')
    await vm.expect('printed-42\n')
    await vm.save(file)
    await vm.run('echo later >/tmp/state')
    const boots = new Set([await stdout(vm, 'cat /proc/sys/kernel/random/uuid')])
    for (const name of ['second', 'third']) {
      const resumed = await resume({ name })
      expect(resumed.name).toBe(name)
      expect(await stdout(resumed, 'cat /tmp/state; kill -0 $(cat /tmp/pid) && echo alive')).toBe('kept\nalive\n')
      expect(resumed.hasPrinted('printed-42\n')).toBeDefined()
      await expect(resumed.expect('printed-42', { timeout: 1 })).rejects.toMatchObject({ code: 'EXPECT_TIMEOUT' })
      expect((await resumed.ready()).text).toBe('coldboot# ')
      expect(Math.abs(Number(await stdout(resumed, 'date +%s')) - Date.now() / 1000)).toBeLessThan(60)
      boots.add(await stdout(resumed, 'cat /proc/sys/kernel/random/uuid'))
    }
    // The original and its copies generate different random numbers.
    expect(boots.size).toBe(3)
    expect(await stdout(vm, 'cat /tmp/state')).toBe('later\n')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['machine.coldboot'])
    const signal = AbortSignal.abort(new Error('the test is over'))
    await expect(VM.resume(file, { signal })).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
    const later = new AbortController()
    const resuming = VM.resume(file, { signal: later.signal })
    setImmediate(() => later.abort(new Error('the test is over')))
    await expect(resuming).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
    expect(liveMachines()).toEqual(['first', 'second', 'third'])
  })
})

test('a machine that changes its memory while it is saved has consistent memory', async () => {
  const vm = await start()
  // Files with the hash of their content as the name.
  const write = 'dd if=/dev/urandom of=/tmp/new bs=64k count=8 2>/dev/null; mv /tmp/new /tmp/all/$(sum </tmp/new)'
  const busy = `sum() { md5sum | cut -c1-32; }; while [ ! -e /tmp/stop ]; do ${write}; ls -t /tmp/all | tail -n +20 | sed s,^,/tmp/all/, | xargs rm -f; done`
  await vm.run(`mkdir /tmp/all; mkfifo /tmp/ended; (${busy}; echo >/tmp/ended) >/dev/null 2>&1 &`)
  await vm.waitUntil('[ $(ls /tmp/all | wc -l) -gt 2 ]')
  await vm.save(file)
  const check =
    'touch /tmp/stop; read x </tmp/ended; cd /tmp/all; for f in *; do md5sum <$f | grep -q ^$f || echo bad $f; done; ls | wc -l'
  for (const machine of [vm, await resume()]) expect(Number(await stdout(machine, check))).toBeGreaterThan(2)
})

describe('a machine that was booted', () => {
  test('a machine that was booted is resumed too, and can be saved again; with goOn: false it stays stopped', async () => {
    const vm = closing(await VM.boot({ ...(await linuxGuest()), timeout: 60_000 }))
    await vm.ready()
    await vm.run('echo one >/tmp/state')
    await vm.save(file)
    const resumed = await resume()
    await resumed.run('echo two >>/tmp/state')
    await resumed.save(file, { goOn: false })
    await expect(resumed.run('true', { timeout: 500 })).rejects.toMatchObject({ name: 'GuestCommandError' })
    expect(await stdout(await resume(), 'cat /tmp/state')).toBe('one\ntwo\n')
  })

  test('a machine may be saved before it is ready', async () => {
    const vm = closing(await VM.boot({ ...(await linuxGuest()), timeout: 60_000 }))
    await vm.expect(/./)
    await vm.save(file)
    await vm.close()
    const resumed = await resume()
    await resumed.ready()
    expect(await stdout(resumed, 'echo $((40 + 2))')).toBe('42\n')
  })
})

describe('devices of a resumed machine', () => {
  test('a disk keeps its changes if its image is the same', async () => {
    const image = join(folder, 'disk.img')
    writeFileSync(image, Buffer.alloc(1 << 20, 'a'))
    const vm = await start({ devices: [blockDevice(image)] }, { modules: ['virtio_blk'] })
    await vm.run('echo written | dd of=/dev/vda bs=512 seek=3 conv=notrunc,fsync')
    await vm.save(file)
    await vm.close()
    const command = 'dd if=/dev/vda bs=512 skip=3 count=1 2>/dev/null | head -n 1; head -c 3 /dev/vda'
    expect(await stdout(await resume(), command)).toBe('written\naaa')
    const moved = join(folder, 'moved.img')
    execFileSync('mv', [image, moved])
    await expect(resume()).rejects.toMatchObject({
      code: 'MACHINE_FILE_MISFIT',
      message: expect.stringContaining(image) as string,
    })
    expect(await stdout(await resume({ files: { [image]: moved } }), command)).toBe('written\naaa')
    writeFileSync(moved, Buffer.alloc(1 << 20, 'b'))
    await expect(resume({ files: { [image]: moved } })).rejects.toMatchObject({ code: 'MACHINE_FILE_MISFIT' })
  })

  test('channels, ports and networks work, without the outside', async () => {
    await using network = new Network()
    const devices = [channel('results'), network.nic(), userNetwork({ forward: [{ guest: 80 }], restrict: false })]
    const vm = await start({ devices }, { modules: ['virtio_net'] })
    await vm.run(
      'echo hello >/tmp/index.html; ip link set eth1 up; ip addr add 10.0.2.15/24 dev eth1; httpd -p 80 -h /tmp',
    )
    await vm.save(file)
    const resumed = await resume()
    const [forward] = resumed.portForwards
    expect(await (await fetch(`http://127.0.0.1:${forward?.host}/`)).text()).toBe('hello\n')
    expect(resumed.commandLine.join(' ')).toContain('restrict=on')
    await resumed.run(`echo '{"event":"done"}' >/dev/virtio-ports/results`)
    expect((await resumed.events('results').next()).value).toEqual({ event: 'done' })
    // The saved machine's card is in use, and the resumed machine has another network.
    expect(await stdout(resumed, 'cat /sys/class/net/eth0/address')).toBe(
      await stdout(vm, 'cat /sys/class/net/eth0/address'),
    )
  })

  test('a shared directory is empty, unless another one is given', async () => {
    const [shared, other] = [join(folder, 'shared'), join(folder, 'other')]
    for (const directory of [shared, other]) mkdirSync(directory)
    writeFileSync(join(shared, 'secret'), 'secret')
    writeFileSync(join(other, 'public'), 'public')
    const devices = [p9Directory(shared, { mountAt: '/mnt/9p' }), readOnlyDirectory(shared, { mountAt: '/mnt/fat' })]
    const vm = await start({ devices }, { flavour: 'generic' })
    expect(await stdout(vm, 'ls /mnt/9p /mnt/fat')).toBe('/mnt/9p:\nsecret\n\n/mnt/fat:\nsecret\n')
    await vm.save(file)
    expect(await stdout(vm, 'ls /mnt/9p')).toBe('secret\n')
    expect(await stdout(await resume(), 'ls /mnt/9p /mnt/fat')).toBe('/mnt/9p:\n\n/mnt/fat:\nsecret\n')
    expect(await stdout(await resume({ files: { [shared]: other } }), 'ls /mnt/9p')).toBe('public\n')
  })

  test('custom arguments are passed only if allowed', async () => {
    const quick = quickGuest(join(folder, 'quick.img'))
    const balloon = arbitraryArgs('-device', 'virtio-balloon-pci')
    const vm = closing(await VM.boot({ ...quick, devices: [...quick.devices, balloon] }))
    await vm.ready()
    await vm.save(file)
    await vm.close()
    await expect(resume()).rejects.toMatchObject({
      code: 'MACHINE_FILE_MISFIT',
      message: expect.stringContaining('-device virtio-balloon-pci') as string,
    })
    await expectAnswer(await resume({ allowArguments: true }))
  })
})

describe('a machine is not saved', () => {
  test.each<[string, () => Device, RegExp]>([
    [
      'with a device that QEMU cannot save',
      () => arbitraryArgs('-device', 'qemu-xhci', '-device', 'usb-uas'),
      /usb-uas/,
    ],
    [
      'with a disk that it writes to itself',
      () => {
        const image = join(folder, 'disk.img')
        writeFileSync(image, Buffer.alloc(1 << 20))
        return blockDevice(image, { overlay: false })
      },
      /overlay: false/,
    ],
    [
      "with a device of a user's own that is not described",
      () => ({ name: 'own', qemuArgs: () => [] }),
      /own.*portable/,
    ],
  ])('a machine %s is not saved, and goes on', async (_title, device, reason) => {
    const quick = quickGuest(join(folder, 'quick.img'))
    const vm = closing(await VM.boot({ ...quick, devices: [...quick.devices, device()] }))
    await vm.ready()
    await expect(vm.save(file)).rejects.toMatchObject({
      code: 'MACHINE_UNSAVABLE',
      message: expect.stringMatching(reason) as string,
    })
    await expectAnswer(vm)
    expect(readdirSync(folder).filter((name) => name.startsWith('machine'))).toEqual([])
  })

  test('a machine beyond the limits of size and time is not saved, and continues', async () => {
    const vm = closing(await VM.boot(quickGuest(join(folder, 'quick.img'))))
    await vm.ready()
    for (const limit of [{ maxBytes: 10_000 }, { timeout: 1 }]) {
      await expect(vm.save(file, limit)).rejects.toMatchObject({ code: 'SAVE_ABANDONED' })
      await expectAnswer(vm)
      expect(readdirSync(folder)).toEqual(['quick.img'])
    }
    await vm.save(file)
    await expectAnswer(await resume())
  })
})

test('a machine that is debugged waits for its debugger', async () => {
  const vm = closing(await VM.boot(quickGuest(join(folder, 'quick.img'))))
  await vm.ready()
  await vm.save(file)
  const resumed = await resume({ gdb: true })
  expect(statSync(resumed.gdbSocket ?? '').isSocket()).toBe(true)
  resumed.send('works\n')
  await expect(resumed.expect('WORKS', { timeout: 300 })).rejects.toMatchObject({ code: 'EXPECT_TIMEOUT' })
})
