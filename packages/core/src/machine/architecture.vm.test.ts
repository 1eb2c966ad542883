/** Tests that a guest of each architecture boots and finds its devices. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { bootLinux, run } from '../../test/guest.ts'
import { blockDevice } from '../devices/block-device.ts'
import { channel } from '../devices/channel.ts'
import { p9Directory } from '../devices/p9-directory.ts'
import { serial } from '../devices/serial.ts'
import { virtioRandom } from '../devices/virtio-random.ts'
import { findOnPath } from '../host/find-on-path.ts'
import { ARCHITECTURES, type Architecture } from '../options/architecture.ts'
import { VM } from './vm.ts'

/** Architectures that are tested in every run. The others need kernels of 60 MB each, so they have a separate run. */
const ALWAYS: readonly Architecture[] = ['x86_64', 'i386', 'aarch64']
const asked = (process.env['COLDBOOT_TEST_ARCHITECTURES'] ?? '').split(',')

function reasonToSkip(arch: Architecture): string | undefined {
  if (!ALWAYS.includes(arch) && !asked.includes(arch)) {
    return 'set COLDBOOT_TEST_ARCHITECTURES=arm,ppc64,riscv64,s390x (riscv64 on Debian 13) to fetch their kernels and boot them'
  }
  return findOnPath(`qemu-system-${arch}`) === undefined ? `qemu-system-${arch} is not installed` : undefined
}

for (const arch of Object.keys(ARCHITECTURES) as Architecture[]) {
  test(`${arch} boots, and has its console and devices`, { timeout: 600_000 }, async ({ skip }) => {
    const reason = reasonToSkip(arch)
    if (reason !== undefined) return skip(reason)
    const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const [shared, image] = [join(folder, 'shared'), join(folder, 'disk.img')]
    mkdirSync(shared)
    writeFileSync(image, 'I am the disk\n'.padEnd(1 << 20, '\0'))
    const [results, port] = [channel('results'), serial()]
    const devices = [...[virtioRandom(), p9Directory(shared, { mountAt: '/mnt' }), blockDevice(image), results, port]]
    const vm = await bootLinux({ arch }, devices, { timeout: 120_000, bootTimeout: 300_000 })
    const booted = await run(vm, 'uname -m; cat /sys/class/tty/console/active')
    expect(booted).toBe(`${MACHINES[arch]}
${ARCHITECTURES[arch].consoleDevice}
`)
    expect(await run(vm, 'head -n 1 /dev/vda; head -c 8 /dev/hwrng | wc -c')).toBe('I am the disk\n8\n')
    await run(vm, 'echo guest >/mnt/file')
    expect(readFileSync(join(shared, 'file'), 'utf8')).toBe('guest\n')
    await run(vm, `echo '{"event":"done","ok":true}' >/dev/virtio-ports/results`)
    expect(await results.events().next()).toEqual({ done: true, value: { event: 'done', ok: true } })
    await run(vm, `echo hello >/dev/${SECOND_PORTS[arch] ?? 'hvc0'}`)
    await port.expect('hello\n')
    vm.send('poweroff -f\n')
    expect(await vm.waitForExit()).toMatchObject({ reason: 'guest-shutdown' })
  })
}

/** Message of the firmware for an empty disk, in a machine without a kernel. */
const NOTHING_TO_BOOT: { readonly [Arch in Architecture]?: string } = {
  x86_64: 'No bootable device',
  i386: 'No bootable device',
  ppc64: 'Not a bootable device',
  s390x: 'Failed to load OS from hard disk',
}

for (const [arch, words] of Object.entries(NOTHING_TO_BOOT) as [Architecture, string][]) {
  test(`${arch} without a kernel has its firmware on the console`, async ({ skip }) => {
    if (findOnPath(`qemu-system-${arch}`) === undefined) return skip(`qemu-system-${arch} is not installed`)
    const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const image = join(folder, 'empty.img')
    writeFileSync(image, Buffer.alloc(1 << 20))
    const vm = await VM.boot({ arch, memory: '512M', timeout: 60_000, devices: [blockDevice(image)] })
    onTestFinished(() => vm.close().then(() => {}))
    await vm.expect(words)
  })
}

/** Name of the architecture in the kernel. */
const MACHINES: Readonly<Record<Architecture, string>> = {
  x86_64: 'x86_64',
  i386: 'i686',
  aarch64: 'aarch64',
  arm: 'armv7l',
  riscv64: 'riscv64',
  ppc64: 'ppc64le',
  s390x: 's390x',
}

/** Name of the second serial port in the guest, if it is not `hvc0`. */
const SECOND_PORTS: { readonly [Arch in Architecture]?: string } = { x86_64: 'ttyS1', i386: 'ttyS1', ppc64: 'hvc1' }
