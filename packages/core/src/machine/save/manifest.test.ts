import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { PlainValue } from '../../devices/device.ts'
import { Network } from '../../devices/network.ts'
import { type MachineManifest, parseManifest } from './manifest.ts'
import { type DeviceSurroundings, makeDevice } from './portable-devices.ts'

const MANIFEST: MachineManifest = {
  ...{ format: 3, saved: '2026-01-01T00:00:00.000Z', name: 'vm', qemuVersion: '7.2.22', arch: 'x86_64' },
  ...{ machine: 'pc-i440fx-7.2', cpu: 'max', cpus: 1, memoryMib: 256, accelerator: 'tcg', hostCpu: '' },
  ...{ kernelArgs: ['quiet'], allowReboot: false, firmwareOnConsole: false, firmware: '' },
  boot: [{ name: 'kernel', path: '/vmlinuz', sizeBytes: 1, sha256: 'a'.repeat(64) }],
  ...{ ready: { text: '# ' }, hasGuestMemory: true, devices: [{ kind: 'balloon', options: {} }], files: [] },
}

function parse(change: object): MachineManifest {
  return parseManifest(Buffer.from(JSON.stringify({ ...MANIFEST, ...change })), 'it')
}

test('a manifest is read back', () => {
  expect(parse({})).toEqual(MANIFEST)
})

test('a manifest of another version names both formats, and what to do', () => {
  expect(() => parse({ format: 1, unknown: true })).toThrow(
    expect.objectContaining({
      code: 'MACHINE_FILE_MISFIT',
      message: expect.stringMatching(
        /its format is 1, and this version reads format 3\n.*version of coldboot that saved it/,
      ),
    }),
  )
})

describe('a manifest is refused', () => {
  const file = { path: '/disk.img', sizeBytes: 1, sha256: 'a'.repeat(64) }
  test.each<[string, object]>([
    ['with an unknown key', { qemu: ['sh', '-c', 'evil'] }],
    ['without a key', { cpu: undefined }],
    ['of a format that is not a number', { format: '1' }],
    ['with an option in the name', { name: 'vm,debug-threads=on' }],
    ['with a path as name', { name: '../vm' }],
    ['with a property that writes a file', { machine: 'pc,dumpdtb=/home/user/.profile' }],
    ['with a firmware as property', { machine: 'pc,pflash0=x,firmware=/etc/shadow' }],
    ['with an option after the machine', { machine: 'pc -daemonize' }],
    ['with a line break in the machine', { machine: 'pc\n' }],
    ['with an option after the CPU', { cpu: 'max -incoming exec:evil' }],
    ['with a list as CPU', { cpu: ['max'] }],
    ['with too many CPUs', { cpus: 100_000 }],
    ['with more memory than a host has', { memoryMib: 2 ** 40 }],
    ['with a memory size that is a text', { memoryMib: '256M,maxmem=1T' }],
    ['with a firmware outside of the folder of QEMU', { firmware: '../../evil.bin' }],
    ['with an absolute firmware', { firmware: '/tmp/evil.bin' }],
    ['with a hidden firmware', { firmware: '.hidden' }],
    ['with a boot file of another name', { boot: [{ ...file, name: '../kernel' }] }],
    ['with a boot file without a digest', { boot: [{ name: 'kernel', path: '/vmlinuz' }] }],
    ['with a line break in a kernel argument', { kernelArgs: ['quiet\ninit=/evil'] }],
    ['with a NUL in a kernel argument', { kernelArgs: ['quiet\0'] }],
    ['with a pattern that is not one', { ready: { source: '(', flags: '' } }],
    ['with a relative file', { files: [{ ...file, path: 'disk.img' }] }],
    ['with a file without a digest', { files: [{ ...file, sha256: '' }] }],
    ['with a device without options', { devices: [{ kind: 'balloon' }] }],
    ['with too many devices', { devices: Array.from({ length: 1001 }, () => ({ kind: 'balloon', options: {} })) }],
  ])('%s', (_title, change) => {
    expect(() => parse(change)).toThrow(expect.objectContaining({ code: 'MACHINE_FILE_INVALID' }))
  })

  test.each(['', 'null', '5', '[]', '"text"', '{', '{"__proto__":{}}'])('that is %j', (text) => {
    expect(() => parseManifest(Buffer.from(text), 'it')).toThrow(
      expect.objectContaining({ code: 'MACHINE_FILE_INVALID' }),
    )
  })
})

describe('a device of a machine file', () => {
  let folder: string
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    writeFileSync(join(folder, 'secret'), 'secret')
  })

  function openNetwork(): Network {
    const network = new Network()
    onTestFinished(() => network.close())
    return network
  }

  function make(kind: string, options: Readonly<Record<string, PlainValue>>, more: Partial<DeviceSurroundings> = {}) {
    const surroundings: DeviceSurroundings = {
      fileAt() {
        throw new Error('it is not among the files')
      },
      ...{ directoryAt: () => undefined, scratch: folder, network: openNetwork },
      ...{ allowNetwork: false, allowArguments: false, ...more },
    }
    return makeDevice({ kind, options }, surroundings, 0)
  }

  test.each<[string, string, Readonly<Record<string, PlainValue>>]>([
    ['with arguments for QEMU', 'arbitraryArgs', { args: ['-drive', 'file=/etc/shadow'] }],
    ['of an unknown kind', 'exec', { command: 'evil' }],
    ['of the kind of a property of all objects', 'constructor', {}],
    ['that would modify a disk', 'blockDevice', { image: '/disk.img', overlay: false }],
    ['without its image', 'blockDevice', {}],
    ['with options in a tag', 'p9Directory', { directory: '/', tag: 'a,path=/' }],
    ['with options in a channel', 'channel', { name: 'a,chardev=qmp' }],
    ['with an unknown option', 'serial', { path: '/dev/ttyS0' }],
    ['with options in the name of a host', 'userNetwork', { hostname: 'a,hostfwd=tcp::22-:22' }],
    ['with options in a forward', 'userNetwork', { forward: [{ guest: '80,guestfwd=tcp:10.0.2.4:1-cmd:evil' }] }],
    ['with options in an address', 'network.nic', { mac: '52:54:63:00:00:01,netdev=x' }],
    ['with options in a label', 'readOnlyDirectory', { directory: '/', label: 'A,B=C' }],
  ])('is refused %s', (_title, kind, options) => {
    expect(() => make(kind, options)).toThrow(
      expect.objectContaining({
        code: expect.stringMatching(/^(MACHINE_FILE_|INVALID_OPTION|UNKNOWN_OPTION)/) as string,
      }),
    )
  })

  test('has no path of the host that the file names', () => {
    const args = (kind: string, options: Readonly<Record<string, PlainValue>>) =>
      JSON.stringify(make(kind, options).portable)
    expect(args('p9Directory', { directory: '/etc' })).not.toContain('/etc')
    expect(args('userNetwork', { tftp: '/etc', bootFile: 'passwd', restrict: false })).not.toContain('/etc')
    expect(() => make('blockDevice', { image: '/etc/passwd' })).toThrow(/not among the files/)
    expect(() => make('uefi', { code: '/etc/passwd', variables: '/etc/passwd' })).toThrow(/not among the files/)
  })

  test('has no ports of the host, and no way out', () => {
    const { portable } = make('userNetwork', { restrict: false, forward: [{ guest: 80, host: 22 }] })
    expect(portable?.options).toEqual({ restrict: true, forward: [{ guest: 80 }] })
  })
})
