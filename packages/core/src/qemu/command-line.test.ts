import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { arbitraryArgs } from '../devices/arbitrary-args.ts'
import { channel } from '../devices/channel.ts'
import type { Device } from '../devices/device.ts'
import { AGENT_PORT, GUEST_AGENT_PORT } from '../devices/helpers/guest-ports.ts'
import { virtioRandom } from '../devices/virtio-random.ts'
import type { Architecture } from '../options/architecture.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { buildCommandLine, type CommandLineInput, quoteCommandLine } from './command-line.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const kernel = join(folder, 'vmlinuz')
writeFileSync(kernel, '')

function build(options: MachineOptions, overrides: Partial<CommandLineInput> = {}) {
  const spec = resolveOptions({ kernel, arch: 'x86_64', accelerator: 'tcg', ...options })
  return buildCommandLine({ spec, qemu: ['qemu'], directory: '/d', wiring: 'inherited', sandbox: true, ...overrides })
}

const machineWith = (...held: readonly string[]) => [
  ...['-nodefaults', '-no-user-config', '-display', 'none', '-name', 'guest=vm'],
  ...[
    '-machine',
    'pc,accel=tcg',
    '-cpu',
    'max,vendor=GenuineIntel,erms=off,fsrm=off,la57=off',
    '-m',
    '256M',
    '-smp',
    '1',
    '-no-reboot',
    ...held,
  ],
  ...['-sandbox', 'on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny'],
]
const inherited = [
  ...['-chardev', 'socket,id=console,fd=4', '-serial', 'chardev:console'],
  ...['-chardev', 'socket,id=qmp,fd=5', '-mon', 'chardev=qmp,mode=control'],
]

describe('the complete command line', () => {
  test('the complete command line of a kernel', () => {
    expect(build({ initramfs: kernel, kernelArgs: 'console=ttyS0  quiet' }).argv).toEqual([
      ...['qemu', ...machineWith('-S'), ...inherited],
      ...['-kernel', kernel, '-initrd', kernel, '-append', 'console=ttyS0 quiet'],
    ])
  })

  test('the complete command line of a standalone machine for a shell', () => {
    expect(build({}, { wiring: 'standalone' }).argv).toEqual([
      ...['qemu', ...machineWith()],
      ...['-chardev', 'stdio,id=console,mux=on,signal=off', '-serial', 'chardev:console'],
      ...['-mon', 'chardev=console,mode=readline', '-kernel', kernel],
    ])
  })

  test('the guest is held by this project, or by the arguments of the user', () => {
    expect(build({}).holdsGuest).toBe(false)
    expect(build({ devices: [arbitraryArgs('-S')] }).holdsGuest).toBe(true)
    expect(build({}, { qemu: ['qemu', '--S'] }).holdsGuest).toBe(true)
  })

  test('the complete command line of devices, in order, with unique ids', () => {
    const { argv } = build({ devices: [virtioRandom(), arbitraryArgs('-device', 'edu'), virtioRandom()] })
    expect(argv.slice(argv.indexOf(kernel) + 1)).toEqual([
      ...['-object', 'rng-random,id=rng0,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng0'],
      ...['-device', 'edu'],
      ...['-object', 'rng-random,id=rng1,filename=/dev/urandom', '-device', 'virtio-rng-pci,rng=rng1'],
    ])
  })

  test('the complete command line of other architectures, with their console and transport', () => {
    const { argv } = build({ arch: 's390x', devices: [virtioRandom()] })
    expect(argv).toContain('sclpconsole,chardev=console')
    expect(argv).toContain('virtio-rng-ccw,rng=rng0')
    expect(argv).not.toContain('-serial')
  })

  test('the complete command line without a kernel, with the firmware on the console', () => {
    const machineOf = (arch: Architecture) => {
      const { argv } = build({ arch, kernel: undefined, firmware: 'own.bin' })
      expect(argv).toEqual(expect.arrayContaining(['-bios', 'own.bin']))
      return argv[argv.indexOf('-machine') + 1]
    }
    expect(machineOf('x86_64')).toBe('pc,accel=tcg,graphics=off')
    expect(machineOf('ppc64')).toBe('pseries,accel=tcg')
    expect(machineOf('aarch64')).toBe('virt,accel=tcg')
    const { argv } = build({ kernel: undefined, firmware: 'own.bin', firmwareOnConsole: false })
    expect(argv[argv.indexOf('-machine') + 1]).toBe('pc,accel=tcg')
  })

  test.each<[title: string, options: MachineOptions, block: string | undefined, hasIt: boolean]>([
    ['a copied machine', {}, undefined, true],
    ['one with an agent, which adds entropy itself', { devices: [channel(AGENT_PORT)] }, undefined, false],
    ["one with QEMU's guest agent, which does not", { devices: [channel(GUEST_AGENT_PORT)] }, undefined, true],
    ['one that was started without it', {}, 'pc.ram', false],
    ['one with qboot, which hangs with it', { firmware: 'qboot.rom' }, undefined, false],
    ['one that is no PC', { arch: 'aarch64' }, undefined, false],
  ])('a generation id: %s', (_title, options, block, hasIt) => {
    const { argv } = build(options, { memory: { path: '/memory', shared: false, block } })
    expect(argv.includes('vmgenid,guid=auto')).toBe(hasIt)
  })

  test('the complete command line that may reboot, outside a sandbox', () => {
    expect(build({ allowReboot: true }, { sandbox: false }).argv).not.toEqual(expect.arrayContaining(['-no-reboot']))
    expect(build({ sandbox: false }).argv).not.toContain('-sandbox')
  })
})

describe('devices', () => {
  const nic: Device = {
    name: 'nic',
    qemuArgs: (context) => ['-netdev', `stream,id=${context.id('net')},fd=${context.inherit() ?? 'none'}`],
    kernelArgs: (context) => [`net=${context.id('net')},${context.inherit() ?? 'none'}`],
  }

  test('inherit descriptors in order, and get the same ids in both calls', () => {
    const { argv, deviceDescriptors, deviceIds } = build({ kernelArgs: 'a', devices: [nic, virtioRandom(), nic] })
    expect(argv).toEqual(
      expect.arrayContaining(['stream,id=net0,fd=7', 'stream,id=net1,fd=8', 'a net=net0,7 net=net1,8']),
    )
    expect(deviceDescriptors).toEqual([[7], [], [8]])
    expect(deviceIds).toEqual([['net0'], ['rng0'], ['net1']])
  })

  test('inherit nothing in a command line for a shell', () => {
    expect(build({ devices: [nic] }, { wiring: 'standalone' }).argv).toContain('stream,id=net0,fd=none')
  })
})

test('builds the same command line twice', () => {
  const options = { devices: [virtioRandom(), virtioRandom()] }
  expect(build(options)).toEqual(build(options))
})

test.each([
  ['s390x', 896],
  ['x86_64', 2047],
] as const)('rejects a kernel command line above the limit of %s', (arch, limit) => {
  expect(() => build({ arch, kernelArgs: 'x'.repeat(limit + 1) })).toThrow(
    `${limit + 1} bytes long, but ${arch} kernels accept at most ${limit}`,
  )
})

test('rejects arguments that detach QEMU, from devices and from the option qemu', () => {
  const refused = expect.objectContaining({
    code: 'INVALID_OPTION',
    shortMessage: expect.stringMatching(/`--?daemonize`/),
  })
  expect(() => build({ devices: [arbitraryArgs('-daemonize')] })).toThrow(refused)
  expect(() => build({}, { qemu: ['qemu', '--daemonize'] })).toThrow(refused)
})

test('escapes a comma in a path', () => {
  const odd = join(folder, 'a,b=c')
  writeFileSync(odd, '')
  expect(build({ kernel: odd }).argv).toContain(odd)
})

test('quotes any arguments for a shell', () => {
  const word = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom("'", '"', '$HOME', '`id`', '\\', '\n', '-x', ' ', '!', 'é'),
  )
  fc.assert(
    fc.property(
      fc.array(
        word.map((text) => text.replaceAll('\0', '').replace(/[\ud800-\udfff]/g, '')),
        { minLength: 1 },
      ),
      (argv) => {
        const script = `printf '%s\\0' ${quoteCommandLine(argv)}`
        const seen = execFileSync('sh', ['-c', script], { encoding: 'utf8' })
        expect(seen).toBe(argv.map((argument) => `${argument}\0`).join(''))
      },
    ),
    { numRuns: 150 },
  )
})
