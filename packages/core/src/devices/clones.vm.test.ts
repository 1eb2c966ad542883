/** Machines from one template, side by side: each has its own disk, channel and serial port. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type LinuxGuest, linuxGuest } from '@coldboot/guest'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { run, silenceEcho } from '../../test/guest.ts'
import { endPool } from '../template/pool/end-pool.ts'
import { startReady } from '../template/start-ready.ts'
import { Template } from '../template/template.ts'
import { blockDevice } from './block-device.ts'
import { channel } from './channel.ts'
import { Network } from './network.ts'
import { serial } from './serial.ts'
import { virtioRandom } from './virtio-random.ts'

afterEach(endPool)

/** Sets a cache for the templates of this test, which is removed afterwards. The kernel stays in the usual cache. */
async function ownTemplates(): Promise<{ readonly guest: LinuxGuest; readonly folder: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const guest = await linuxGuest()
  vi.stubEnv('COLDBOOT_CACHE', join(folder, 'cache'))
  onTestFinished(() => void vi.unstubAllEnvs())
  return { guest, folder }
}

test('each clone has the address of its card and the current link state, and reaches the others', async () => {
  const { guest } = await ownTemplates()
  await using network = new Network()
  const unplugged = network.nic()
  await unplugged.down()
  const cards = [network.nic(), network.nic(), unplugged]
  const machines = cards.map((card) => ({ ...guest, timeout: 60_000, template: 'required' as const, devices: [card] }))
  // The first round makes a template for each card, because the guest knows the address of its card.
  for (const round of ['saved', 'again']) {
    const vms = await Promise.all(
      machines.map((options, index) => startReady({ ...options, name: `${round}-${index}`, pool: true })),
    )
    const ends = vms.map((vm) => () => vm.close())
    try {
      const addresses = await Promise.all(vms.map((vm) => vm.run('cat /sys/class/net/eth0/address')))
      expect(addresses.map(({ stdout }) => stdout.trim())).toEqual(cards.map(({ mac }) => mac))
      await Promise.all(
        vms.map((vm, index) => vm.run(`ip addr add 10.0.0.${index + 1}/24 dev eth0; ip link set eth0 up`)),
      )
      const [first, second, third] = vms
      await first?.run('ping -c 1 -W 30 10.0.0.2')
      await second?.run('ping -c 1 -W 30 10.0.0.1')
      expect((await third?.run('cat /sys/class/net/eth0/carrier'))?.stdout, round).toBe('0\n')
    } finally {
      await Promise.all(ends.map((end) => end()))
    }
  }
})

test('each clone has its own disk, channel and port', async () => {
  const { guest, folder } = await ownTemplates()
  const image = join(folder, 'disk.img')
  writeFileSync(image, 'from the image\n'.padEnd(1 << 20, '\0'))
  const before = createHash('sha256').update(readFileSync(image)).digest('hex')
  const [results, port] = [channel('results'), serial()]
  const template = await Template.build(
    { ...guest, timeout: 60_000, devices: [blockDevice(image), results, port, virtioRandom()] },
    {
      prepare: async (vm) => {
        await silenceEcho(vm)
        await run(vm, "printf 'from the template' | dd of=/dev/vda bs=512 seek=1 conv=fsync 2>/dev/null")
      },
    },
  )
  const read = (sector: number, length: number) =>
    `dd if=/dev/vda bs=512 skip=${sector} count=1 2>/dev/null | head -c ${length}; echo`
  const clones = await Promise.all(['first', 'second'].map((name) => template.start({ name })))
  for (const vm of clones) onTestFinished(() => vm.close().then(() => {}))
  for (const vm of clones) {
    expect(await run(vm, read(0, 14))).toBe('from the image\n')
    expect(await run(vm, read(1, 17))).toBe('from the template\n')
    await run(vm, `printf 'by ${vm.name}' | dd of=/dev/vda bs=512 seek=1 conv=fsync 2>/dev/null`)
  }
  for (const vm of clones) {
    expect(await run(vm, read(1, 3 + vm.name.length))).toBe(`by ${vm.name}\n`)
    await run(vm, `echo '{"event":"done","by":"${vm.name}"}' >/dev/virtio-ports/results; echo "${vm.name}" >/dev/ttyS1`)
    expect(await results.of(vm).events().next()).toMatchObject({ done: true, value: { by: vm.name } })
    await port.of(vm).expect(`${vm.name}\n`)
  }
  expect(createHash('sha256').update(readFileSync(image)).digest('hex')).toBe(before)
})
