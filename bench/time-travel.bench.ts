/**
 * Measures saved machines: a save of a running machine compared with the same QEMU migration without coldboot; and a resume, a
 * revert and a start from a checkpoint compared with a start from a template. Also compares a layer with a complete rebuild and with
 * a single template.
 *
 * Goals, without hardware acceleration and with 256 MiB: a save takes at most 1.15 times the migration, and pauses the guest for less
 * than one second; a revert takes at most 1.2 times a start from a template; a resume takes at most 1.3 times a start from a template
 * plus the time to read the file.
 *
 * Run: node bench/time-travel.bench.ts [--rounds 9]
 */
import { execFileSync } from 'node:child_process'
import { createWriteStream, mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { constants, createZstdCompress } from 'node:zlib'
import { type MachineObserver, Template, VM } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { bareQemu } from './bare-qemu.ts'
import { benchOptions } from './options.ts'
import { median, sideBySide } from './side-by-side.ts'

const { rounds } = benchOptions({ rounds: 9 })
const folder = mkdtempSync(join(tmpdir(), 'coldboot-bench-'))
const file = join(folder, 'machine.coldboot')
const guest = { ...(await linuxGuest()), accelerator: 'tcg' as const, timeout: 60_000 }
const template = await Template.build(guest)
const FILL = 'dd if=/dev/urandom of=/tmp/fresh bs=1M count=20 2>/dev/null'

/** Starts QEMU without coldboot, with the same kernel and the same amount of fresh data. */
async function byHand(): Promise<{ save(): Promise<void>; end(): Promise<void> }> {
  const qemu = bareQemu([
    ...['-nodefaults', '-display', 'none', '-machine', 'pc,accel=tcg', '-cpu', 'max', '-m', '256M'],
    ...['-kernel', guest.kernel, '-initrd', guest.initramfs, '-append', [guest.kernelArgs].flat().join(' ')],
  ])
  await qemu.printed(String(guest.ready))
  qemu.console.write(`${FILL}; echo filled-$((1))\n`)
  await qemu.printed('filled-1')
  return {
    async save() {
      const path = join(folder, 'hand.sock')
      const { ZSTD_c_compressionLevel: level } = constants
      const zstd = createZstdCompress({ params: { [level]: 1 } })
      const received = Promise.withResolvers<void>()
      const server = createServer((socket) => {
        pipeline(socket, zstd, createWriteStream(join(folder, 'hand.zst'))).then(received.resolve, received.reject)
      })
      await new Promise<void>((resolve) => server.listen(path, resolve))
      qemu.qmp(
        ['qmp_capabilities'],
        ['stop'],
        ['migrate-set-parameters', { 'max-bandwidth': 10e9 }],
        ['migrate', { uri: `unix:${path}` }],
      )
      await received.promise
      server.close()
    },
    end: () => qemu.end(),
  }
}

async function saved(timed: () => Promise<void>): Promise<number> {
  const begun = performance.now()
  await timed()
  return performance.now() - begun
}

const pauses: number[] = []
let stoppedAt = 0
/** Measures the time between QEMU's events STOP and RESUME. */
const observer: MachineObserver = () => (event) => {
  if (event.kind !== 'qmp' || event.direction !== 'received') return
  if (event.message['event'] === 'STOP') stoppedAt = performance.now()
  if (event.message['event'] === 'RESUME' && stoppedAt > 0) pauses.push(performance.now() - stoppedAt)
}

await sideBySide(
  'A running machine with 20 MB of fresh data, saved and compressed',
  [
    {
      name: 'migration by hand, zstd -1',
      async run() {
        const machine = await byHand()
        const time = await saved(() => machine.save())
        await machine.end()
        return time
      },
    },
    {
      name: 'vm.save, with kernel and initramfs',
      async run() {
        stoppedAt = 0
        await using vm = await template.start({ observer })
        await vm.run(FILL)
        return await saved(() => vm.save(file))
      },
    },
  ],
  { rounds },
)
console.log(
  `  ${(statSync(file).size / 2 ** 20).toFixed(1)} MiB, by hand ${(statSync(join(folder, 'hand.zst')).size / 2 ** 20).toFixed(1)} MiB`,
)

console.log(`  The guest was paused for ${median(pauses).toFixed(0)} ms (median)`)

const vm = await template.start()
await vm.run('echo kept >/tmp/state')
const checkpoint = await vm.checkpoint()
await vm.save(file)

async function first(machine: VM): Promise<void> {
  await machine.run('cat /tmp/state; true')
}

await sideBySide(
  'From nothing to the result of the first command',
  [
    {
      name: 'start from a template',
      async run() {
        const begun = performance.now()
        const machine = await template.start()
        await first(machine)
        const time = performance.now() - begun
        await machine.close()
        return time
      },
    },
    {
      name: 'start from a checkpoint',
      async run() {
        const begun = performance.now()
        const machine = await checkpoint.start()
        await first(machine)
        const time = performance.now() - begun
        await machine.close()
        return time
      },
    },
    {
      name: 'revert, the end of the old QEMU included',
      async run() {
        const begun = performance.now()
        await vm.revert(checkpoint)
        await first(vm)
        return performance.now() - begun
      },
    },
    {
      name: 'reading the file alone (zstd -dc)',
      run: async () => void execFileSync('zstd', ['-dcq', file], { stdio: ['ignore', 'ignore', 'inherit'] }),
    },
    {
      name: 'VM.resume',
      async run() {
        const begun = performance.now()
        const machine = await VM.resume(file, { timeout: 60_000 })
        await first(machine)
        const time = performance.now() - begun
        await machine.close()
        return time
      },
    },
  ],
  { rounds },
)
await vm.close()
await checkpoint.remove()

const INSTALL = 'dd if=/dev/urandom of=/tmp/installed bs=1M count=20 2>/dev/null; sleep 1'
const install = (machine: VM): Promise<unknown> => machine.run(INSTALL)
const load = (machine: VM): Promise<unknown> => machine.run('echo data >/tmp/data')
/** Different in each run, because templates stay in the cache when a run is interrupted. */
let version = Date.now()
const made: Template[] = []
await Template.build(guest, { prepare: [install, load] })

await sideBySide(
  'A changed last step of `prepare`: 20 MB and one second of work before it',
  [
    {
      name: 'one function: boot, prepare and save',
      async run() {
        const begun = performance.now()
        const prepare = async (machine: VM): Promise<void> => {
          await install(machine)
          await load(machine)
        }
        made.push(await Template.build(guest, { prepare, key: String(version++) }))
        return performance.now() - begun
      },
    },
    {
      name: 'a list of steps: the last layer',
      async run() {
        const begun = performance.now()
        made.push(await Template.build(guest, { prepare: [install, load], key: ['', String(version++)] }))
        return performance.now() - begun
      },
    },
  ],
  { rounds: 5 },
)

const [flat, layered] = made.slice(-2)
await sideBySide(
  'A start from one template, and from two layers with the same content',
  [flat, layered].map((one, index) => ({
    name: index === 0 ? 'one template' : 'two layers, 20 MB',
    async run() {
      const begun = performance.now()
      const machine = await one?.start()
      await machine?.run('cat /tmp/data')
      const time = performance.now() - begun
      await machine?.close()
      return time
    },
  })),
  { rounds },
)
for (const one of made) await one.remove()
rmSync(folder, { recursive: true, force: true })
