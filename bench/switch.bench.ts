/**
 * Measures the throughput of the switch without guests: one process writes frames to a socket one at a time, like QEMU, and
 * another reads them. The baseline is Node's `pipe()` between the same sockets.
 * Run after a build: node bench/switch.bench.ts [--rounds 9] [--mib 256]
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { type AttachContext, Network } from '@coldboot/core'
import { benchOptions } from './options.ts'
import { sideBySide } from './side-by-side.ts'

const { rounds, mib } = benchOptions({ rounds: 9, mib: 256 })
const folder = mkdtempSync(join(tmpdir(), 'switch-bench-'))
const total = mib * 2 ** 20

try {
  await compare(1_514)
  await compare(64)
} finally {
  rmSync(folder, { recursive: true })
}

async function compare(size: number): Promise<void> {
  const count = Math.floor(total / (size === 64 ? 16 : 1) / (size + 4))
  const file = join(folder, `${size}.bin`)
  writeFileSync(file, frames(size, count))
  const rows = await sideBySide(
    `${count} frames of ${size} bytes`,
    [
      { name: 'pipe()', run: () => transfer(file, size, count, (from, to) => void from.pipe(to)) },
      { name: 'Network', run: () => overNetwork(file, size, count, () => {}) },
      {
        name: 'Network, captured',
        run: () => overNetwork(file, size, count, (network) => network.capture(join(folder, 'all.pcapng'))),
      },
      { name: 'Network, logged', run: () => overNetwork(file, size, count, (network) => network.frames()) },
      {
        name: 'Network, impaired',
        run: () => overNetwork(file, size, count, (network) => network.impair({ bandwidth: '1000Gbit' })),
      },
    ],
    { rounds },
  )
  for (const { name, median } of rows) {
    const perSecond = (count / median) * 1_000
    console.log(`  ${name}: ${Math.round(perSecond / 1_000)}k frames/s, ${((perSecond * size) / 1e6).toFixed(0)} MB/s`)
  }
}

/** Frames from one card to another, each after its length. */
function frames(size: number, count: number): Buffer {
  const frame = Buffer.alloc(size + 4)
  frame.writeUInt32BE(size, 0)
  frame.set([0x52, 0x54, 0x63, 0, 0, 1, 0x52, 0x54, 0x63, 0, 0, 0, 0x88, 0xb5], 4)
  return Buffer.alloc(frame.length * count, frame)
}

async function overNetwork(
  file: string,
  size: number,
  count: number,
  use: (network: Network) => unknown,
): Promise<void> {
  await using network = new Network()
  use(network)
  const cards = [network.nic(), network.nic()]
  await transfer(file, size, count, async (...streams) => {
    for (const [index, card] of cards.entries()) await card.attach(contextOf(`m${index}`, streams[index] as Duplex))
    // The switch learns the address of the receiver from a frame that it sends.
    streams[1].emit(
      'data',
      Buffer.concat([frames(64, 1).subarray(0, 4), Buffer.from('525463000000525463000001', 'hex'), Buffer.alloc(52)]),
    )
  })
}

async function transfer(
  file: string,
  size: number,
  count: number,
  connect: (from: Duplex, to: Duplex) => void | Promise<void>,
): Promise<void> {
  const bytes = count * (size + 4)
  const sink = spawn('sh', ['-c', `head -c ${bytes} <&3 >/dev/null`], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const source = spawn('sh', ['-c', `dd if="$0" bs=${size + 4} status=none >&3; read _ <&3`, file], {
    stdio: ['ignore', 'ignore', 'inherit', 'pipe'],
  })
  const [from, to] = [source.stdio[3] as Duplex, sink.stdio[3] as Duplex]
  for (const stream of [from, to]) stream.on('error', () => {})
  const done = once(sink, 'exit')
  await connect(from, to)
  await done
  source.kill()
}

function contextOf(machineName: string, stream: Duplex): AttachContext {
  return {
    vm: {},
    machineName,
    directory: folder,
    streams: [stream],
    ids: ['net0', 'nic0'],
    qmp: { execute: async () => ({}), onEvent: () => ({ [Symbol.dispose]() {} }) },
    exited: new Promise(() => {}),
    onEvent: undefined,
    publishPort() {},
    timeout: 7_000,
    timeoutMultiplier: 1,
  }
}
