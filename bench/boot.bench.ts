/**
 * Compares a boot with bare QEMU and the same arguments (goal: at most 3 % slower), and with a simple QEMU command line for
 * the same kernel package (goal: 3 times as fast).
 *
 * Run: node bench/boot.bench.ts [--rounds 9]
 */

import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { VM } from '@coldboot/core'
import { linuxGuest } from '@coldboot/guest'
import { bareQemu } from './bare-qemu.ts'
import { benchOptions } from './options.ts'
import { sideBySide } from './side-by-side.ts'

// Without the agent, so that the command line of bare QEMU is short.
const guest = await linuxGuest({ agent: false })
const scratch = await mkdtemp(join(tmpdir(), 'coldboot-bench-'))
const kernelFolder = dirname(guest.kernel)
const archive = (await readdir(kernelFolder)).find((name) => name.endsWith('.deb')) ?? 'kernel.deb'
await promisify(execFile)('dpkg-deb', ['-x', join(kernelFolder, archive), scratch])
const boot = join(scratch, 'boot')
const compressed = join(boot, (await readdir(boot)).find((name) => name.startsWith('vmlinuz')) ?? 'vmlinuz')
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
  'From the start of QEMU to the prompt',
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
      name: 'VM.boot and ready()',
      async run() {
        const begun = performance.now()
        const vm = await VM.boot({ ...guest, accelerator: 'tcg' })
        await vm.ready()
        const time = performance.now() - begun
        await vm.close()
        return time
      },
    },
    {
      name: 'simple command line: vmlinuz, quiet',
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
  benchOptions({ rounds: 9 }),
)
await rm(scratch, { recursive: true })
