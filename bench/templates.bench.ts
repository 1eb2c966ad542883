/**
 * Measures the start of a fresh machine: cold boots, a restore with minimal code, and templates without and with a pool.
 * Then many machines, in sequence and at once, with the private memory of each.
 *
 * Goals, without hardware acceleration: a start from a template takes at most 1.15 times the minimal restore and is 20 times
 * as fast as a cold boot; a pooled machine prints the output of the first command within 15 ms; a restored guest of 256 MiB
 * has less than 30 MiB of private memory; 12 machines per second in sequence.
 *
 * Run: node bench/templates.bench.ts [--rounds 20]
 */
import { readFileSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { endPool, Template, VM } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { bareQemu } from './bare-qemu.ts'
import { bareRestore } from './bare-restore.ts'
import { benchOptions } from './options.ts'
import { median, sideBySide } from './side-by-side.ts'

const { rounds } = benchOptions({ rounds: 20 })
// Without the agent, so that the minimal restore is short. A row below uses the agent.
const guest = { ...(await linuxGuest({ agent: false })), accelerator: 'tcg' as const }
const ready = String(guest.ready)
const command = 'echo hello-$((40 + 2))\n'
const answer = 'hello-42\r\n'

const template = await Template.build(guest)
const pooled = await Template.build(guest, { pool: true, key: 'pooled' })
const withAgent = await Template.build({ ...(await linuxGuest()), accelerator: 'tcg' })

async function firstOutput(vm: VM): Promise<void> {
  vm.send(command)
  await vm.expect('hello-42\n')
}

async function inARow(of: Template): Promise<void> {
  for (let clone = 0; clone < 50; clone++) {
    await using vm = await of.start()
    await firstOutput(vm)
  }
}

async function fromTemplate(of: Template): Promise<number> {
  const begun = performance.now()
  const vm = await of.start()
  await firstOutput(vm)
  const time = performance.now() - begun
  // Simulates a longer test, during which the pool prepares the next machine.
  if (of === pooled) await pause(500)
  await vm.close()
  return time
}

async function atOnce(of: Template): Promise<number> {
  const begun = performance.now()
  const vms = await Promise.all(Array.from({ length: 10 }, () => of.start()))
  await Promise.all(vms.map(firstOutput))
  const time = performance.now() - begun
  // Simulates a longer test, as above.
  if (of === pooled) await pause(1_500)
  await Promise.all(vms.map((vm) => vm.close()))
  return time
}

const cold = [
  {
    name: 'bare QEMU, cold boot',
    async run() {
      const words = [guest.kernelArgs].flat().join(' ')
      const qemu = bareQemu([
        '-nodefaults',
        '-display',
        'none',
        '-machine',
        'pc,accel=tcg',
        '-cpu',
        'max',
        '-m',
        '256M',
        '-kernel',
        guest.kernel,
        '-initrd',
        guest.initramfs,
        '-append',
        words,
      ])
      await qemu.printed(ready)
      qemu.console.write(command)
      await qemu.printed(answer)
      await qemu.end()
    },
  },
  {
    name: 'VM.boot, cold boot',
    async run() {
      const begun = performance.now()
      const vm = await VM.boot(guest)
      await vm.ready()
      await firstOutput(vm)
      const time = performance.now() - begun
      await vm.close()
      return time
    },
  },
]
const restores = [
  {
    name: 'minimal restore',
    async run() {
      const begun = performance.now()
      const qemu = await bareRestore(template.key)
      qemu.console.write(command)
      await qemu.printed(answer)
      const time = performance.now() - begun
      await qemu.end()
      return time
    },
  },
  { name: 'template', run: () => fromTemplate(template) },
  { name: 'template with pool', run: () => fromTemplate(pooled) },
  { name: 'template with agent, which sets the clock', run: () => fromTemplate(withAgent) },
]

await sideBySide('From the start to the output of the first command', [...restores, ...cold], { rounds })
await endPool()

// The tests are shorter than the preparation of a machine, so the pool prepares two in parallel.
await sideBySide(
  '50 machines in sequence, with a command each',
  [
    { name: 'template', run: () => inARow(template) },
    { name: 'template with pool', run: () => inARow(pooled) },
  ],
  { rounds: 3 },
)
await endPool()

// The pool has ten machines since the second time.
await sideBySide(
  '10 machines at once, with a command each',
  [
    { name: 'template', run: () => atOnce(template) },
    { name: 'template with pool', run: () => atOnce(pooled) },
  ],
  { rounds: 5, warmup: 2 },
)
await endPool()

const together = performance.now()
const vms = await Promise.all(Array.from({ length: 20 }, () => template.start()))
await Promise.all(vms.map(firstOutput))
const elapsed = performance.now() - together
const owned = vms.map((vm) => privateMib(vm.pid))
console.log(
  `20 machines in parallel, with a command each: ${(elapsed / 1000).toFixed(2)} s; private memory of each: ${median(owned).toFixed(1)} MiB (median)`,
)
await Promise.all(vms.map((vm) => vm.close()))

/** Memory of a process that it cannot share, MiB: proc(5), smaps_rollup. */
function privateMib(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Anonymous:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024
}
