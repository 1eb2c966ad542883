import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  blockDevice,
  channel,
  type Device,
  Network,
  optionString,
  p9Directory,
  readOnlyDirectory,
  serial,
  userNetwork,
  watchdog,
} from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { expect, test as machines } from '@coldboot/vitest'

const test = machines.extend<{ folder: string }>({
  folder: async ({ onTestFinished }, use) => {
    const folder = mkdtempSync(join(tmpdir(), 'devices-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    await use(folder)
  },
})

test('shares a directory with the host', async ({ bootVM, folder }) => {
  const vm = await bootVM({ devices: [p9Directory(folder, { mountAt: '/mnt/shared' })] })
  await vm.run('uname -r >/mnt/shared/release')
  expect(readFileSync(join(folder, 'release'), 'utf8')).toMatch(/^\d+\.\d+/)
})

test('cannot change a read-only directory', async ({ bootVM }) => {
  const vm = await bootVM({ devices: [readOnlyDirectory('fixtures', { mountAt: '/mnt/fixtures' })] })
  await expect(vm).toHaveFile('/mnt/fixtures/greeting.txt', 'hello from the host')
  await expect(vm).toRun('touch /mnt/fixtures/new', { exitCode: 1, stderr: /Read-only file system/ })
})

test('writes to a disk without changing the image', async ({ bootVM, folder }) => {
  const image = join(folder, 'disk.img')
  writeFileSync(image, Buffer.alloc(1 << 20, 'before'))

  const vm = await bootVM({ ...(await linuxGuest()), devices: [blockDevice(image)] })
  await vm.run('echo after | dd of=/dev/vda conv=fsync')
  await expect(vm).toRun('head -n 1 /dev/vda', { stdout: 'after' })
  expect(readFileSync(image, 'utf8')).toMatch(/^before/)
})

test('can be reached from the host', async ({ bootVM }) => {
  const net = userNetwork({ forward: [{ guest: 80 }] })
  const vm = await bootVM({ devices: [net] })
  await vm.run('ip addr add 10.0.2.15/24 dev eth0 && ip link set eth0 up')
  await vm.copyIn('fixtures', '/srv')
  await vm.run('httpd -h /srv')

  const answer = await fetch(`http://127.0.0.1:${net.hostPort(80)}/greeting.txt`)
  expect(await answer.text()).toBe('hello from the host\n')
})

test('boots over the network', async ({ bootVM }) => {
  const net = userNetwork({ tftp: 'fixtures/tftp', bootFile: 'boot.ipxe' })
  const vm = await bootVM({ arch: 'x86_64', devices: [net] })
  await vm.expect('booted over the network by 10.0.2.15', { timeout: 25_000 })
})

test('reaches another machine over a bad network', async ({ bootVM }) => {
  await using network = new Network()
  const [server, client] = await Promise.all([
    bootVM({ name: 'server', devices: [network.nic()] }),
    bootVM({ name: 'client', devices: [network.nic()] }),
  ])
  await server.run('ip addr add 10.0.0.1/24 dev eth0 && ip link set eth0 up')
  await client.run('ip addr add 10.0.0.2/24 dev eth0 && ip link set eth0 up')

  network.impair({ latency: 100 })
  const { stdout } = await client.run('ping -c 1 10.0.0.1')
  const [, milliseconds] = /time=([\d.]+) ms/.exec(stdout) ?? []
  expect(Number(milliseconds)).toBeGreaterThanOrEqual(200)

  network.partition([server], [client])
  await expect(client).toRun('ping -c 1 -W 1 10.0.0.1', { exitCode: 1 })
  network.heal()
  await expect(client).toRunSuccessfully('ping -c 1 10.0.0.1')
})

test('sends an ARP request that the test sees', async ({ bootVM }) => {
  await using network = new Network()
  const vm = await bootVM({ devices: [network.nic()] })

  using log = network.frames({ protocol: 'arp' })
  await vm.run('ip addr add 10.0.0.1/24 dev eth0 && ip link set eth0 up')
  await vm.run('ping -c 1 -W 1 10.0.0.9', { check: false })
  const question = await log.waitFor({ arpOperation: 1, destinationIp: '10.0.0.9' })
  expect(question.sourceIp).toBe('10.0.0.1')
})

test('reports its progress through a channel', async ({ bootVM }) => {
  const progress = channel('progress')
  const vm = await bootVM({ devices: [progress] })
  vm.send(`printf '{"step":1}\\n{"step":2}\\n{"event":"done"}\\n' >/dev/virtio-ports/progress\n`)
  const steps: unknown[] = []
  for await (const event of progress.events()) steps.push(event)
  expect(steps).toEqual([{ step: 1 }, { step: 2 }])
})

test('answers on a second port', async ({ bootVM }) => {
  const port = serial()
  const vm = await bootVM({ devices: [port] })
  await vm.run('(echo up; while read -r line; do echo "got $line"; done) </dev/ttyS1 >/dev/ttyS1 2>&1 &')
  await port.expect('up')
  port.send('a word\n')
  await port.expect('got a word')
})

test('is reset when it stops feeding its watchdog', async ({ bootVM }) => {
  const dog = watchdog()
  const vm = await bootVM({ devices: [dog], failOn: { watchdog: 'allow' } })
  vm.send('watchdog -T 2 -t 60 /dev/watchdog; killall -9 watchdog\n')
  expect(await dog.fired()).toBe('reset')
  await expect(vm).toExit({ reason: 'guest-reset' })
})

/** Provides a text to the guest below `/sys/firmware/qemu_fw_cfg/by_name/opt/example.com`. */
function note(name: string, text: string): Device {
  return {
    name: 'note',
    claims: [`note:${name}`],
    qemuArgs: () => ['-fw_cfg', optionString(undefined, { name: `opt/example.com/${name}`, string: text })],
  }
}

test('uses a custom device', async ({ bootVM }) => {
  const vm = await bootVM({
    ...(await linuxGuest({ modules: ['qemu_fw_cfg'] })),
    devices: [note('greeting', 'hello, guest')],
  })
  await expect(vm).toHaveFile('/sys/firmware/qemu_fw_cfg/by_name/opt/example.com/greeting/raw', 'hello, guest')
})
