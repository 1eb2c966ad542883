import { accessSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Architecture, VM, virtioRandom } from '@coldboot/core'
import { expect, test } from 'vitest'
import { GUEST_PROMPT } from './init-script.ts'
import { linuxGuest } from './linux-guest.ts'

// Output of `uname -m` in each guest. Debian 12 has no riscv64.
const MACHINES: readonly (readonly [Architecture, RegExp])[] = [
  ['i386', /^i686\n/m],
  ['aarch64', /^aarch64\n/m],
  ['arm', /^armv7l\n/m],
  ['ppc64', /^ppc64le\n/m],
  ['s390x', /^s390x\n/m],
]

function hasQemu(arch: Architecture): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, `qemu-system-${arch}`))
      return true
    } catch {
      return false
    }
  })
}

/** Booted in every run. The others run only on request, because the kernel of each is a download of 50 MB. */
const ALWAYS: readonly Architecture[] = ['i386', 'aarch64']
const asked = (process.env['COLDBOOT_TEST_ARCHITECTURES'] ?? '').split(',')

test.for(MACHINES)(
  'a guest for %s boots, finds its devices and ends',
  { timeout: 600_000 },
  async ([arch, machine], { skip }) => {
    const wanted = ALWAYS.includes(arch) || asked.includes(arch)
    skip(!wanted, 'set COLDBOOT_TEST_ARCHITECTURES=arm,ppc64,s390x to fetch their kernels and boot them')
    skip(!hasQemu(arch), `qemu-system-${arch} is not installed`)
    await using vm = await VM.boot({
      ...(await linuxGuest({ arch })),
      devices: [virtioRandom()],
      timeout: 60_000,
      bootTimeout: 120_000,
    })
    await vm.ready()
    vm.send('uname -m; ls /dev/hwrng\n')
    await vm.expect(machine)
    await vm.expect('/dev/hwrng\n')
    await vm.expect(GUEST_PROMPT)
    vm.send('exit\n')
    expect(await vm.waitForExit({ timeout: 60_000 })).toMatchObject({ reason: 'guest-shutdown' })
  },
)
