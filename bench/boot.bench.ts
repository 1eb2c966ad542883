/**
 * Nothing of the boot is slower for going through the project: its boot next to the bare QEMU of the same arguments (goal:
 * within 3 %), and to what one would type by hand for the same kernel package (goal: 3 times as fast).
 *
 * Run: node bench/boot.bench.ts [rounds]
 */

import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { VM } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { bareQemu } from './bare-qemu.ts'
import { sideBySide } from './side-by-side.ts'

const guest = await linuxGuest()
const kernelFolder = dirname(guest.kernel)
const compressed = join(kernelFolder, readdirSync(kernelFolder).find((name) => name.startsWith('vmlinuz')) ?? 'vmlinuz')
const ready = String(guest.ready)
const words = [guest.kernelArgs].flat().join(' ')

const machine = [
  '-nodefaults',
  '-no-user-config',
  '-display',
  'none',
  '-machine',
  'pc,accel=tcg,graphics=off',
  '-cpu',
  'max',
]
const size = ['-m', '256M', '-smp', '1', '-no-reboot']

await sideBySide(
  'From the spawn to the prompt',
  [
    {
      name: 'bare QEMU, the same arguments',
      async run() {
        const qemu = bareQemu([
          ...machine,
          ...size,
          '-kernel',
          guest.kernel,
          '-initrd',
          guest.initramfs,
          '-append',
          words,
        ])
        await qemu.printed(ready)
        await qemu.end()
      },
    },
    {
      name: 'VM.start and ready()',
      async run() {
        const begun = performance.now()
        const vm = await VM.start({ ...guest, accelerator: 'tcg' })
        await vm.ready()
        const time = performance.now() - begun
        await vm.close()
        return time
      },
    },
    {
      name: 'by hand: vmlinuz, quiet',
      async run() {
        const qemu = bareQemu([
          '-display',
          'none',
          '-m',
          '256M',
          '-kernel',
          compressed,
          '-initrd',
          guest.initramfs,
          '-append',
          'console=ttyS0 quiet',
        ])
        await qemu.printed(ready)
        await qemu.end()
      },
    },
  ],
  { rounds: Number(process.argv[2] ?? 9) },
)
