/**
 * What a fresh machine costs: cold boots, a restore written by hand with nothing to spare, and templates with and without
 * a machine made ahead. Then many clones: in a row, and at once with the memory each owns.
 *
 * Goals, without hardware acceleration: a start from a template within 1.15 times the restore by hand and 20 times as fast
 * as the cold boot; made ahead, under 15 ms to the first command's output; a clone of a 256 MiB guest owns under 30 MiB; 12
 * clones a second in a row.
 *
 * Run: node bench/templates.bench.ts [rounds]
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { endPool, Template, VM } from '@coldboot/core'
import { readEnvironment } from '@coldboot/core/internal'
import { linuxGuest } from '@coldboot/guest'
import { bareQemu } from './bare-qemu.ts'
import { median, sideBySide } from './side-by-side.ts'

const rounds = Number(process.argv[2] ?? 20)
// Without the agent, so that the machine by hand is the same with few words; a row below has it.
const guest = { ...(await linuxGuest({ agent: false })), accelerator: 'tcg' as const }
const ready = String(guest.ready)
const command = 'echo hello-$((40 + 2))\n'
const answer = 'hello-42\r\n'

const template = await Template.build(guest)
const ahead = await Template.build(guest, { pool: true, key: 'ahead' })
const withAgent = await Template.build({ ...(await linuxGuest()), accelerator: 'tcg' })
const stored = join(readEnvironment().cacheDirectory, 'templates', template.key)

/** The same machine as the template's, by hand. */
const machine = [
  ...['-nodefaults', '-no-user-config', '-display', 'none', '-cpu', 'max', '-m', '256M', '-smp', '1', '-no-reboot'],
  ...['-machine', 'pc,accel=tcg,graphics=off,memory-backend=memory', '-device', 'vmgenid,guid=auto'],
  ...['-object', `memory-backend-file,id=memory,size=256M,mem-path=${join(stored, 'memory')},share=off`],
]

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
  // A test that lasts: the next machine is made meanwhile.
  if (of === ahead) await pause(500)
  await vm.close()
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
    name: 'VM.start, cold boot',
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
    name: 'restore by hand',
    async run() {
      const begun = performance.now()
      const qemu = bareQemu([...machine, '-incoming', 'defer'], join(stored, 'state'))
      const capabilities = ['x-ignore-shared', 'events'].map((capability) => ({ capability, state: true }))
      qemu.qmp(
        ['qmp_capabilities'],
        ['migrate-set-capabilities', { capabilities }],
        ['migrate-incoming', { uri: 'fd:5' }],
      )
      await qemu.said('"completed"')
      qemu.qmp(['cont'])
      qemu.console.write(command)
      await qemu.printed(answer)
      const time = performance.now() - begun
      await qemu.end()
      return time
    },
  },
  { name: 'template', run: () => fromTemplate(template) },
  { name: 'template, made ahead', run: () => fromTemplate(ahead) },
  { name: 'template, told the time by its agent', run: () => fromTemplate(withAgent) },
]

await sideBySide('From nothing to the output of the first command', [...restores, ...cold], { rounds })
await endPool()

// Tests shorter than the making of a machine: made ahead, they are made side by side.
await sideBySide(
  '50 machines in a row, a command each',
  [
    { name: 'template', run: () => inARow(template) },
    { name: 'template, made ahead', run: () => inARow(ahead) },
  ],
  { rounds: 3 },
)
await endPool()

const together = performance.now()
const vms = await Promise.all(Array.from({ length: 20 }, () => template.start()))
await Promise.all(vms.map(firstOutput))
const elapsed = performance.now() - together
const owned = vms.map((vm) => privateMib(vm.pid))
console.log(
  `20 machines at once, a command each: ${(elapsed / 1000).toFixed(2)} s; each owns ${median(owned).toFixed(1)} MiB (median)`,
)
await Promise.all(vms.map((vm) => vm.close()))

/** Memory that nobody else has a page of, MiB: proc(5), smaps_rollup. */
function privateMib(pid: number): number {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
  const rows = [...rollup.matchAll(/^Private_(?:Clean|Dirty|Hugetlb):\s+(\d+) kB/gm)]
  return rows.reduce((sum, [, kilobytes]) => sum + Number(kilobytes), 0) / 1024
}
