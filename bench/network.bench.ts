/**
 * Compares a network between two guests through the switch in the test process with a socket between their QEMU processes,
 * the shortest possible connection: time of a TCP transfer and of a ping.
 * Run after a build: node bench/network.bench.ts [--rounds 9] [--mib 32]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arbitraryArgs, type Device, Network, VM } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { benchOptions } from './options.ts'
import { median, sideBySide } from './side-by-side.ts'

const { rounds, mib } = benchOptions({ rounds: 9, mib: 32 })
const folder = mkdtempSync(join(tmpdir(), 'network-bench-'))
const guest = await linuxGuest({ modules: ['virtio_net'] })
await using stack = new AsyncDisposableStack()
stack.defer(() => rmSync(folder, { recursive: true }))

/** Two connected guests. */
interface Pair {
  readonly name: string
  readonly client: VM
}

async function pair(name: string, devices: readonly [Device, Device]): Promise<Pair> {
  const boot = async (device: Device, number: number): Promise<VM> => {
    const vm = stack.use(await VM.boot({ ...guest, timeout: 600_000, devices: [device] }))
    await vm.ready()
    await run(vm, `stty -echo; ip addr add 10.0.0.${number}/24 dev eth0; ip link set eth0 up`)
    return vm
  }
  // In sequence, because the second QEMU connects to the socket of the first.
  const server = await boot(devices[0], 1)
  const client = await boot(devices[1], 2)
  await run(server, "(nc -ll -p 7000 -e sh -c 'cat >/dev/null') &")
  await run(client, 'ping -c 10 -i 0.1 10.0.0.1')
  // A file in memory, because a pipe would need more CPU time in the guest than the network.
  await run(client, `dd if=/dev/zero of=/tmp/data bs=64k count=${mib * 16}`)
  return { name, client }
}

let commands = 0
async function run(vm: VM, command: string): Promise<string> {
  const id = ++commands
  vm.send(`{ ${command}\n}; echo END$((${id}))\n`)
  return (await vm.expect(`END${id}\n`)).before
}

function socketPair(): readonly [Device, Device] {
  const path = join(folder, 'socket')
  const end = (server: string, mac: string): Device =>
    arbitraryArgs(
      ...['-netdev', `stream,id=direct,server=${server},addr.type=unix,addr.path=${path}`],
      ...['-device', `virtio-net-pci,netdev=direct,mac=${mac},romfile=`],
    )
  return [end('on', '52:54:00:00:00:01'), end('off', '52:54:00:00:00:02')]
}

function network(use?: (network: Network) => void): readonly [Device, Device] {
  const made = stack.use(new Network())
  use?.(made)
  return [made.nic(), made.nic()]
}

const pairs = [
  await pair('direct socket', socketPair()),
  await pair('Network', network()),
  await pair(
    'Network, captured',
    network((it) => it.capture(join(folder, 'all.pcapng'))),
  ),
  await pair(
    'Network, logged',
    network((it) => it.frames()),
  ),
]

const bytes = mib * 2 ** 20
const rows = await sideBySide(
  `TCP transfer of ${mib} MiB`,
  pairs.map(({ name, client }) => ({
    name,
    async run() {
      await run(client, 'nc 10.0.0.1 7000 </tmp/data')
    },
  })),
  { rounds },
)
for (const { name, median: ms } of rows) console.log(`  ${name}: ${(bytes / 1_000 / ms).toFixed(2)} MB/s`)

await sideBySide(
  'ping, median of 100',
  pairs.map(({ name, client }) => ({
    name,
    async run() {
      const output = await run(client, 'ping -c 100 -i 0.01 10.0.0.1')
      return median([...output.matchAll(/time=([\d.]+) ms/g)].map(([, time]) => Number(time)))
    },
  })),
  { rounds },
)
