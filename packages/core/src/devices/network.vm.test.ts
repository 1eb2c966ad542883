import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { VM } from '../machine/vm.ts'
import type { Frame } from '../network/frames/frame-filter.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'
import { NIC_MODELS } from './helpers/nic-model.ts'
import { Network } from './network.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
const network = new Network()
const nics = { a: network.nic(), b: network.nic(), c: network.nic() }
const address = { a: '10.0.0.1', b: '10.0.0.2', c: '10.0.0.3' }
type Name = keyof typeof nics

/**
 * Creates 4 MiB of data and starts a receiver, and waits until it listens. Its input must not end, or it would hang up.
 */
const RECEIVE = `
dd if=/dev/urandom of=/tmp/out bs=64k count=64
killall -q nc
[ -p /tmp/silence ] || mkfifo /tmp/silence
nc -l -p 7000 <>/tmp/silence >/tmp/in 2>/tmp/nc &
until netstat -ltn | grep -q :7000; do usleep 10000; done`
const vms = {} as Record<Name, VM>

function start(options: MachineOptions): Promise<VM> {
  return startReady({ timeout: 60_000, ...options })
}

beforeAll(async () => {
  const guest = await linuxGuest({ modules: ['virtio_net'] })
  const started = (['a', 'b', 'c'] as const).map(async (name) => {
    vms[name] = await start({ ...guest, name, devices: [nics[name]] })
    // Without IPv6, a guest sends no frames by itself.
    await vms[name].run('echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6')
    await vms[name].run(`ip addr add ${address[name]}/24 dev eth0 && ip link set eth0 up`)
  })
  await Promise.all(started)
}, 300_000)

afterAll(async () => {
  await Promise.all(Object.values(vms).map((vm) => vm.close()))
  await network.close()
  rmSync(folder, { recursive: true })
})

async function printed(name: Name, command: string): Promise<string> {
  return (await vms[name].run(command)).stdout
}

/** Sequence number of an ICMP echo. */
function sequenceNumber({ payload }: Frame): number {
  return payload.readUInt16BE(2)
}

async function ping(from: Name, to: Name, options = '-c 1 -W 5'): Promise<string> {
  return printed(from, `ping ${options} ${address[to]}`)
}

/** Round trips, milliseconds. */
function roundTrips(output: string): number[] {
  return [...output.matchAll(/time=([\d.]+) ms/g)].map(([, time]) => Number(time))
}

test('three machines reach each other', async () => {
  for (const [from, to] of [
    ['a', 'b'],
    ['b', 'c'],
    ['c', 'a'],
  ] as const) {
    expect(await ping(from, to)).toMatch(/1 packets received, 0% packet loss/)
  }
})

test('a card has the address of nic.mac', async () => {
  expect((await printed('a', 'cat /sys/class/net/eth0/address')).trim()).toBe(nics.a.mac)
})

test('a log has a ping, its reply, and the ARP request before', async () => {
  await vms.a.run('ip neigh flush dev eth0')
  using log = network.frames()
  await ping('a', 'b')
  const question = await log.waitFor({ protocol: 'icmp', icmpType: 8 })
  const answer = await log.waitFor({ protocol: 'icmp', icmpType: 0 })
  expect(question).toMatchObject({
    ...{ machine: 'a', source: nics.a.mac, destination: nics.b.mac },
    ...{ sourceIp: address.a, destinationIp: address.b },
  })
  expect(answer).toMatchObject({ machine: 'b', sourceIp: address.b, destinationIp: address.a })
  expect(answer.time).toBeGreaterThan(question.time)
  expect(await log.waitFor({ protocol: 'arp', arpOperation: 1 })).toMatchObject({
    ...{ sourceIp: address.a, destinationIp: address.b, destination: 'ff:ff:ff:ff:ff:ff' },
  })
})

test('the switch drops nothing of a large transfer', async () => {
  await Promise.all([vms.a, vms.b].map((vm) => vm.run(RECEIVE)))
  // In both directions at once, so that both sides always send.
  const sums = await Promise.all([
    printed('a', `nc ${address.b} 7000 </tmp/out; md5sum </tmp/out`),
    printed('b', `nc ${address.a} 7000 </tmp/out; md5sum </tmp/out`),
  ])
  expect([await printed('b', 'md5sum </tmp/in'), await printed('a', 'md5sum </tmp/in')]).toEqual(sums)
  expect([nics.a.droppedBytes, nics.b.droppedBytes]).toEqual([0, 0])
})

test('the guest detects when its cable is unplugged and plugged in', async () => {
  const carrier = (state: string) => `until [ "$(cat /sys/class/net/eth0/carrier)" = ${state} ]; do usleep 10000; done`
  expect((await printed('b', 'cat /sys/class/net/eth0/carrier')).trim()).toBe('1')
  await nics.b.down()
  await vms.b.run(carrier('0'))
  expect((await vms.a.run(`ping -c 1 -W 1 ${address.b}`, { check: false })).exitCode).toBe(1)
  await nics.b.up()
  await vms.b.run(carrier('1'))
  await ping('a', 'b')
})

test('a partition separates machines until it is healed', async () => {
  network.partition([vms.a, 'c'], [nics.b])
  expect((await vms.a.run(`ping -c 1 -W 1 ${address.b}`, { check: false })).exitCode).toBe(1)
  await ping('a', 'c')
  network.heal()
  await ping('a', 'b')
})

test('latency delays a ping twice', async () => {
  await ping('a', 'b')
  using _faults = network.impair({ latency: 150 })
  const times = roundTrips(await ping('a', 'b', '-c 3 -W 5'))
  expect(times).toHaveLength(3)
  for (const time of times) expect(time).toBeGreaterThanOrEqual(300)
})

test('loss drops the same pings for the same seed', async () => {
  const { a, b } = nics
  // Each frame of the card uses the next random number, so no frames other than the pings may be sent.
  await vms.a.run(`arp -s ${address.b} ${b.mac}`)
  await vms.b.run(`arp -s ${address.a} ${a.mac}`)
  const lost = async (seed: number) => {
    using _faults = a.impair({ loss: 0.3, seed })
    using log = network.frames(({ protocol }) => protocol === 'icmp')
    await vms.a.run(`ping -c 20 -i 0.05 -W 1 ${address.b}`, { check: false })
    const numbers = (name: Name, direction: 'sent' | 'received'): readonly number[] =>
      log.history.filter((frame) => frame.machine === name && frame.direction === direction).map(sequenceNumber)
    // On a busy host, `ping` does not wait long enough for the answers.
    for (const number of numbers('b', 'received')) {
      const isAnswer = (frame: Frame): boolean =>
        frame.machine === 'b' && frame.direction === 'sent' && sequenceNumber(frame) === number
      await log.waitFor(isAnswer, { timeout: 60_000 })
    }
    return [...numbers('b', 'received').map((number) => `to b ${number}`), ...numbers('a', 'received')]
  }
  const first = await lost(7)
  expect(first.length).toBeLessThan(40)
  expect(first.length).toBeGreaterThan(5)
  expect(await lost(7)).toEqual(first)
  expect(await lost(8)).not.toEqual(first)
})

test('a capture is read by tcpdump', async ({ skip }) => {
  const capture = network.capture(join(folder, 'ping.pcapng'))
  await ping('a', 'b')
  await capture.stop()
  expect(capture.frames).toBeGreaterThanOrEqual(4)
  expect(capture.dropped).toBe(0)
  const tcpdump = readWithTcpdump(capture.file)
  if (tcpdump === undefined) return skip('tcpdump is not installed')
  expect(tcpdump).toMatch(/IP 10\.0\.0\.1 > 10\.0\.0\.2: ICMP echo request/)
  expect(tcpdump).toMatch(/IP 10\.0\.0\.2 > 10\.0\.0\.1: ICMP echo reply/)
})

test('a stopped machine blocks no other machine, and is reachable again after it resumes', async () => {
  await ping('a', 'c')
  process.kill(vms.c.pid, 'SIGSTOP')
  try {
    // 100 pings of 40 fragments each exceed the queue.
    await vms.a.run(`arp -s ${address.c} ${nics.c.mac}`)
    await vms.a.run(`ping -q -c 100 -i 0.01 -W 1 -s 60000 ${address.c}`, { check: false })
    await ping('a', 'b')
    await ping('b', 'a')
    expect(nics.c.droppedBytes).toBeGreaterThan(0)
  } finally {
    process.kill(vms.c.pid, 'SIGCONT')
  }
  // Frames that are sent before it has read a part of its queue are still lost.
  await ping('a', 'c', '-c 20 -i 0.2 -W 5')
})

// This test ends one of the machines, so it is the last one that uses it.
test('one machine exits without affecting the others', async () => {
  vms.c.send('poweroff -f\n')
  expect(await vms.c.waitForExit()).toMatchObject({ reason: 'guest-shutdown' })
  expect(nics.c.machine).toBeUndefined()
  await ping('a', 'b')
  expect((await vms.a.run(`ping -c 1 -W 1 ${address.c}`, { check: false })).exitCode).toBe(1)
  await ping('b', 'a')
})

describe('each model of a card', () => {
  test('works, with all of them in one machine', async () => {
    const cards = NIC_MODELS.map((model) => network.nic({ model }))
    const one = vms.a
    const modules = ['virtio_net', 'e1000', 'e1000e', '8139cp', 'vmxnet3', 'pcnet32']
    const many = await start({ ...(await linuxGuest({ modules })), name: 'many', devices: cards })
    onTestFinished(() => many.close().then(() => {}))
    for (const [index, { mac }] of cards.entries()) {
      const [here, there] = [`10.1.${index}.1`, `10.1.${index}.2`]
      const name = (await many.run(`basename $(dirname $(grep -l ${mac} /sys/class/net/*/address))`)).stdout.trim()
      await many.run(`ip addr add ${here}/24 dev ${name} && ip link set ${name} up`)
      // Some cards need seconds to negotiate the speed of the link.
      await many.run(`until [ "$(cat /sys/class/net/${name}/carrier)" = 1 ]; do usleep 10000; done`)
      await one.run(`ip addr add ${there}/24 dev eth0`)
      expect((await one.run(`ping -c 1 -W 10 ${here}`)).stdout).toMatch(/ 1 packets received/)
    }
  })
})

function readWithTcpdump(file: string): string | undefined {
  try {
    return execFileSync('tcpdump', ['-n', '-r', file], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {
    return undefined
  }
}
