import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, describe, expect, test } from 'vitest'
import { arbitraryArgs } from '../devices/arbitrary-args.ts'
import type { Device } from '../devices/device.ts'
import { Network } from '../devices/network.ts'
import { userNetwork } from '../devices/user-network.ts'
import { virtioRandom } from '../devices/virtio-random.ts'
import { readEnvironment } from '../host/environment.ts'
import { pendingOptions } from '../options/pending-options.ts'
import { DEFAULTS, type MachineOptions } from './machine-options.ts'
import { resolveOptions, withOverrides, withoutOutputs } from './machine-spec.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const kernel = join(folder, 'vmlinuz')
writeFileSync(kernel, '')
mkdirSync(join(folder, 'directory'))

const environment = readEnvironment({})
const resolve = (options: MachineOptions) => resolveOptions({ kernel, arch: 'x86_64', ...options }, environment)

function device(overrides: Partial<Device> = {}): Device {
  return { name: 'probe', qemuArgs: () => [], ...overrides }
}

test('resolves a kernel alone to a complete, frozen spec', () => {
  const spec = resolve({})
  expect(spec).toMatchObject({
    name: 'vm',
    memoryMib: 256,
    cpus: 1,
    timeoutMs: 7000,
    bootTimeoutMs: 60_000,
    kernelArgs: [],
  })
  expect(spec.timeoutMultiplier).toBe(1)
  expect(Object.isFrozen(spec)).toBe(true)
})

test('prefers options to the environment', () => {
  const asked = readEnvironment({
    COLDBOOT_QEMU: 'from-env -x',
    COLDBOOT_TIMEOUT_MULTIPLIER: '3',
    COLDBOOT_ACCEL: 'tcg',
  })
  expect(resolveOptions({ kernel }, asked)).toMatchObject({ qemu: ['from-env', '-x'], timeoutMultiplier: 3 })
  const spec = resolveOptions({ kernel, qemu: '/opt/my qemu/qemu', timeoutMultiplier: 2 }, asked)
  expect(spec).toMatchObject({ qemu: ['/opt/my qemu/qemu'], timeoutMultiplier: 2 })
})

test('requires a unit in sizes', () => {
  expect(resolve({ memory: '2G' }).memoryMib).toBe(2048)
  expect(resolve({ memory: '96MiB' }).memoryMib).toBe(96)
})

describe('refused before anything is spawned', () => {
  const refused: readonly [title: string, options: MachineOptions, code: string, message: RegExp][] = [
    [
      'an unknown key, with the nearest known one',
      { kernal: 'x' } as MachineOptions,
      'UNKNOWN_OPTION',
      /`kernal`; did you mean `kernel`\?/,
    ],
    ['a key that is like none', { zzzzzzzz: 1 } as MachineOptions, 'UNKNOWN_OPTION', /Unknown option `zzzzzzzz`\n/],
    [
      'an unknown failure',
      { failOn: { panics: 'allow' } as never },
      'UNKNOWN_OPTION',
      /failOn: .*did you mean `panic`/,
    ],
    [
      'an unknown part of an option, with the nearest known one',
      { logFile: { path: 'x', maxbytes: 2048 } as never },
      'UNKNOWN_OPTION',
      /logFile: .*did you mean `maxBytes`/,
    ],
    [
      'a log without a path',
      { logFile: { maxBytes: 2048 } as never },
      'INVALID_OPTION',
      /`logFile` must be a path, or/,
    ],
    [
      'a directory for a log',
      { logFile: { path: folder } },
      'INVALID_OPTION',
      /`logFile` is a directory: .*\nPass the/,
    ],
    ['a directory for a dump', { vmcore: folder }, 'INVALID_OPTION', /`vmcore` is a directory/],
    ['a small dump', { vmcore: { path: 'x', maxBytes: 1 } }, 'INVALID_OPTION', /vmcore: `maxBytes` must .* but is 1/],
    ['a terminal of no lines', { terminal: { lines: 0 } }, 'INVALID_OPTION', /terminal: `lines` must .* but is 0/],
    [
      'a promise of a guest that is spread',
      { ...(pendingOptions(Promise.resolve({})) as object) },
      'INVALID_OPTION',
      /^the options contain a promise that was spread without `await`\nWrite `\.\.\.\(await linuxGuest\(\)\)`/,
    ],
    ['a failure of another kind', { failOn: { panic: 1 as never } }, 'INVALID_OPTION', /failOn: `panic` .*fail, allow/],
    [
      'a failure without a pattern',
      { failOn: { custom: [{ name: 'a' }] as never } },
      'INVALID_OPTION',
      /failOn: `custom`/,
    ],
    [
      'a kernel that does not exist',
      { kernel: '/nonexistent' },
      'FILE_MISSING',
      /`kernel` does not exist: \/nonexistent/,
    ],
    ['a directory for a kernel', { kernel: folder }, 'FILE_MISSING', /`kernel` is a directory/],
    [
      'a device for an initramfs',
      { initramfs: '/dev/null' },
      'FILE_MISSING',
      /`initramfs` is a FIFO, a socket or a dev/,
    ],
    ['a missing initramfs', { initramfs: '/nonexistent' }, 'FILE_MISSING', /`initramfs` does not exist/],
    ['missing firmware', { firmware: '/nonexistent/OVMF.fd' }, 'FILE_MISSING', /`firmware` does not exist/],
    [
      'kernelArgs without a kernel',
      { kernel: undefined, firmware: kernel, kernelArgs: 'quiet' },
      'INVALID_OPTION',
      /`kernelArgs` is given without `kernel`/,
    ],
    [
      'an initramfs without a kernel',
      { kernel: undefined, firmware: kernel, initramfs: kernel },
      'INVALID_OPTION',
      /`initramfs` is given without `kernel`/,
    ],
    ['nothing to boot', { kernel: undefined }, 'INVALID_OPTION', /nothing to boot/],
    ['memory without a unit', { memory: '256' as '256M' }, 'INVALID_OPTION', /`memory` must be a size/],
    ['no memory at all', { memory: '0M' }, 'INVALID_OPTION', /`memory`/],
    ['half a CPU', { cpus: 0.5 }, 'INVALID_OPTION', /`cpus` must be a whole number/],
    [
      'a timeout of 0',
      { timeout: 0 },
      'INVALID_OPTION',
      /`timeout` must be a number of milliseconds above 0, but is 0/,
    ],
    ['an endless boot', { bootTimeout: Number.POSITIVE_INFINITY }, 'INVALID_OPTION', /`bootTimeout`/],
    ['a name that is an option string', { name: 'a,process=b' }, 'INVALID_OPTION', /`name`/],
    [
      'an unknown architecture',
      { arch: 'z80' } as unknown as MachineOptions,
      'INVALID_OPTION',
      /`arch` must be one of x86_64/,
    ],
    ['a line break in a kernel argument', { kernelArgs: ['a\nb'] }, 'INVALID_OPTION', /`kernelArgs`/],
    ['a NUL in a path', { kernel: 'a\0b' }, 'INVALID_OPTION', /`kernel` must be a path/],
    ['an empty ready pattern', { ready: '' }, 'INVALID_OPTION', /`ready`/],
    [
      'a ready pattern that matches at once',
      { ready: /(?:login: )?/g },
      'INVALID_OPTION',
      /does not match an empty text/,
    ],
    [
      'a device that is none',
      { devices: [{}] } as unknown as MachineOptions,
      'INVALID_OPTION',
      /`devices` must be a list of devices/,
    ],
    [
      'a device in no list',
      { devices: virtioRandom() } as unknown as MachineOptions,
      'INVALID_OPTION',
      /`devices` must be a list of devices, such as the result of `virtioRandom\(\)`, but is \{ name: /,
    ],
    [
      'a device function that was not called',
      { devices: [virtioRandom] } as unknown as MachineOptions,
      'INVALID_OPTION',
      /but is \[ \[Function: virtioRandom\] \]/,
    ],
    [
      "the host's CPU without acceleration",
      { cpu: 'host', accelerator: 'tcg' },
      'INVALID_OPTION',
      /needs hardware acceleration/,
    ],
    [
      'too much memory for an i386',
      { arch: 'i386', memory: '2G' },
      'INVALID_OPTION',
      /2048 MiB, but i386 guests can have at most 2047 MiB/,
    ],
  ]
  test.each(refused)('%s', (_title, options, code, message) => {
    const attempt = () => resolve(options)
    expect(attempt).toThrow(message)
    expect(attempt).toThrow(expect.objectContaining({ code }))
  })

  test.each([
    ['a promise', Promise.resolve({ kernel: 'x' }), /^the options are a promise\nWrite `await`/],
    ['a list', [{ kernel: 'x' }], /^the options must be an object, but are \[/],
    ['text', 'vmlinuz', /^the options must be an object, but are "vmlinuz"/],
  ])('%s instead of the options', (_title, options, message) => {
    expect(() => resolveOptions(options as MachineOptions)).toThrow(message)
  })

  test('an unreadable file, by its option', ({ skip }) => {
    if (process.getuid?.() === 0) skip('root reads every file')
    const secret = join(folder, 'secret')
    writeFileSync(secret, '', { mode: 0 })
    expect(() => resolve({ initramfs: secret })).toThrow(/`initramfs` cannot be read by this user/)
  })

  test('two devices with the same claim, with both names', () => {
    const devices = [
      device({ name: 'first', claims: ['tag:tmpdir'] }),
      device({ name: 'second', claims: ['tag:tmpdir'] }),
    ]
    expect(() => resolve({ devices })).toThrow(/Devices first and second .* both have tag tmpdir\nSet another `tag`/)
  })
})

test('a device can refuse the machine', () => {
  const picky = device({
    validate: ({ arch }) => {
      throw new Error(`not on ${arch}`)
    },
  })
  expect(() => resolve({ devices: [picky] })).toThrow('not on x86_64')
})

test('a bootable device is enough to boot from', () => {
  expect(resolve({ kernel: undefined, devices: [device({ bootable: true })] }).kernel).toBeUndefined()
})

test('a network card and any arguments may be something to boot from', async () => {
  await using network = new Network()
  for (const devices of [[userNetwork()], [network.nic()], [arbitraryArgs('-device', 'edu')]]) {
    expect(resolve({ kernel: undefined, devices }).devices).toEqual(devices)
    expect(devices[0]?.bootable).toBe('fallback')
  }
  expect(arbitraryArgs('-cdrom', 'x.iso').bootable).toBe(true)
})

test('the firmware prints on the console unless the kernel is a Linux', () => {
  const image = (version: string): string => {
    const bytes = Buffer.alloc(1024)
    bytes.write('HdrS', 0x202)
    bytes.writeUInt16LE(0x100, 0x20e)
    bytes.write(version, 0x300)
    const path = join(folder, `image-${version.slice(0, 4)}`)
    writeFileSync(path, bytes)
    return path
  }
  expect(resolve({ kernel: undefined, firmware: kernel }).firmwareOnConsole).toBe(true)
  expect(resolve({ kernel }).firmwareOnConsole).toBe(false)
  expect(resolve({ kernel: image('6.1.0-18-amd64') }).firmwareOnConsole).toBe(false)
  expect(resolve({ kernel: image('iPXE 1.21.1') }).firmwareOnConsole).toBe(true)
  expect(resolve({ kernel: undefined, firmware: kernel, firmwareOnConsole: false }).firmwareOnConsole).toBe(false)
})

test('firmware is a path, or a name that QEMU searches in its data folder', () => {
  expect(resolve({ firmware: 'qboot.rom' }).firmware).toBe('qboot.rom')
  expect(resolve({ firmware: kernel }).firmware).toBe(kernel)
})

test('accepts one writable stream or a list', () => {
  const sink = new PassThrough()
  expect(resolve({ serialOutput: sink }).serialOutput).toEqual([sink])
  expect(resolve({ serialOutput: [sink, sink] }).serialOutput).toHaveLength(2)
})

test('overrides what the guest cannot see, and keeps the rest', () => {
  const sink = new PassThrough()
  const observer = () => () => {}
  const spec = resolve({
    name: 'one',
    serialOutput: sink,
    logFile: 'a.log',
    observer,
    timeout: 5,
    failOn: { panic: 'allow' },
  })
  expect(withOverrides(spec, {})).toEqual(spec)
  const { name, timeoutMs, serialOutput } = withOverrides(spec, { name: 'two', timeout: 6 })
  expect([name, timeoutMs, serialOutput]).toEqual(['two', 6, [sink]])
  expect(withoutOutputs(spec)).toEqual({ ...spec, serialOutput: [], logFile: undefined, observer: undefined })
})

test('allows stalls of emulated CPUs also in overrides', () => {
  const { failOn } = withOverrides(resolve({ accelerator: 'tcg' }), { failOn: { panic: 'allow' } })
  expect(failOn).toEqual({ panic: 'allow', rcuStall: 'allow' })
})

test('every @default of a docstring is the real default', async () => {
  const { readFile } = await import('node:fs/promises')
  const source = await readFile(new URL('./machine-options.ts', import.meta.url), 'utf8')
  const documented = Object.fromEntries(
    [...source.matchAll(/@default (\S.*?)(?: \*\/|\n)[^;]*?readonly (\w+)\?/g)].map(([, value, key]) => [key, value]),
  )
  for (const [key, value] of Object.entries(DEFAULTS)) {
    const printed = typeof value === 'string' ? `'${value}'` : String(value)
    expect(documented[key], key).toBe(printed)
  }
})
