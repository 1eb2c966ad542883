import { copyFileSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseOptionString, qemuArgsOf } from '../../test/device-arguments.ts'
import { hostileName } from '../../test/hostile-names.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import type { Device } from './device.ts'
import { inspectDiskImage } from './disk/disk-image.ts'
import { findUefi } from './firmware/firmware-descriptors.ts'
import { uefi } from './uefi.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
const [code, variables] = [join(folder, 'code,secure=on.fd'), join(folder, 'vars.fd')]
writeFileSync(code, Buffer.alloc(4096))
writeFileSync(variables, Buffer.alloc(8192))

test('the complete arguments', () => {
  const escaped = code.replace(',', ',,')
  const codeArgs = `node-name=uefi-code0,driver=raw,read-only=on,file.driver=file,file.filename=${escaped}`
  expect(qemuArgsOf(uefi({ code, variables }))).toEqual([
    ...['-blockdev', codeArgs, '-blockdev'],
    [
      'node-name=uefi-vars0,driver=qcow2,cache.no-flush=on,file.driver=file,file.filename=/private/uefi-vars0.qcow2',
      `backing.driver=raw,backing.read-only=on,backing.file.driver=file,backing.file.filename=${variables}`,
    ].join(),
    ...['-machine', 'pflash0=uefi-code0,pflash1=uefi-vars0'],
  ])
  expect(qemuArgsOf(uefi({ code, variables }), { wiring: 'standalone' })).toEqual([
    ...['-blockdev', codeArgs, '-drive'],
    `if=none,id=uefi-vars0,format=raw,snapshot=on,file.driver=file,file.filename=${variables}`,
    ...['-machine', 'pflash0=uefi-code0,pflash1=uefi-vars0'],
  ])
})

test('adds a private layer for the variables', async () => {
  const directory = mkdtempSync(join(folder, 'private-'))
  const { signal } = new AbortController()
  await uefi({ code, variables }).prepare?.({ arch: 'x86_64', machine: 'pc', directory, position: 1, signal })
  expect(inspectDiskImage(join(directory, 'uefi-vars1.qcow2')).virtualSize).toBe(8192)
})

test('passes any image name unchanged and without additional options', () => {
  fc.assert(
    fc.property(hostileName, hostileName, fc.constantFrom('inherited', 'standalone'), (codeName, name, wiring) => {
      const [own, ownVariables] = [join(folder, `code-${codeName}`), join(folder, `vars-${name}`)]
      copyFileSync(code, own)
      copyFileSync(variables, ownVariables)
      const parsed = (device: Device) => qemuArgsOf(device, { wiring }).map(parseOptionString)
      const rename = (value: string) => (value === code ? own : value === variables ? ownVariables : value)
      const plain = parsed(uefi({ code, variables })).map((values) =>
        Object.fromEntries(Object.entries(values).map(([key, value]) => [key, rename(value)])),
      )
      expect(parsed(uefi({ code: own, variables: ownVariables }))).toEqual(plain)
    }),
    { numRuns: 50 },
  )
})

describe('refused', () => {
  test('one of the two files, missing files, and an additional firmware', () => {
    expect(() => uefi({ code })).toThrow(/set both `code` and `variables`/)
    const machine = (code: string, firmware?: string) => () =>
      resolveOptions({ arch: 'x86_64', firmware, devices: [uefi({ code, variables })] })
    expect(machine('/nonexistent')).toThrow(/uefi: `code` does not exist: \/nonexistent/)
    expect(machine(code, 'bios.bin')).toThrow(/The machine has uefi\(\) and `firmware`: bios.bin/)
  })

  test('a machine without firmware, with a hint what to install', () => {
    expect(() => resolveOptions({ arch: 's390x', firmware: 'uefi' })).toThrow(/QEMU has no UEFI for s390x/)
    const microvm = () => resolveOptions({ arch: 'x86_64', machine: 'microvm', firmware: 'uefi' })
    expect(microvm).toThrow(
      /No UEFI firmware for x86_64 machines of type microvm[\s\S]*`ovmf` on Debian[\s\S]*\/etc\/qemu\/firmware/,
    )
  })
})

describe('a firmware descriptor', () => {
  let folders = 0
  const folderOf = (files: Readonly<Record<string, object | string>>) => {
    const path = join(folder, `descriptors${folders++}`)
    mkdirSync(path)
    for (const [name, content] of Object.entries(files)) {
      writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content))
    }
    return path
  }
  const descriptor = (name: string, more: object = {}) => ({
    'interface-types': ['uefi'],
    mapping: {
      device: 'flash',
      executable: { filename: `/${name}-code`, format: 'raw' },
      'nvram-template': { filename: `/${name}-vars`, format: 'qcow2' },
    },
    targets: [{ architecture: 'x86_64', machines: ['pc-i440fx-*', 'pc-q35-*'] }],
    features: ['verbose-dynamic'],
    ...more,
  })
  const find = (...paths: string[]) => findUefi('x86_64', 'q35,smm=off', paths)?.code

  test('is chosen by architecture, machine and rank', () => {
    const path = folderOf({
      '10-other.json': descriptor('arm', { targets: [{ architecture: 'aarch64', machines: ['virt-*'] }] }),
      '20-microvm.json': descriptor('micro', { targets: [{ architecture: 'x86_64', machines: ['microvm'] }] }),
      '30-first.json': descriptor('first'),
      '40-second.json': descriptor('second'),
    })
    expect(findUefi('x86_64', 'pc', [path])).toEqual({
      ...{ code: '/first-code', codeFormat: 'raw', variables: '/first-vars', variablesFormat: 'qcow2' },
    })
    expect(findUefi('aarch64', 'virt,gic-version=3', [path])?.code).toBe('/arm-code')
    expect(findUefi('x86_64', 'microvm', [path])?.code).toBe('/micro-code')
    expect(findUefi('riscv64', 'virt', [path])).toBeUndefined()
  })

  test.for([
    {},
    'null',
    { mapping: 1 },
    { mapping: { device: 'flash', executable: { filename: 1 }, 'nvram-template': {} } },
    { 'interface-types': 1 },
    { targets: [{}] },
    { targets: [{ architecture: 'x86_64', machines: [1] }] },
    { features: null },
    {
      mapping: {
        device: 'flash',
        executable: { filename: '/a' },
        'nvram-template': { filename: '/b', format: 'raw' },
      },
    },
  ] as const)('is ignored if it is invalid: %j', (more) => {
    const isWhole = typeof more === 'string' || Object.keys(more).length === 0
    const invalid = isWhole ? more : descriptor('invalid', more)
    expect(find(folderOf({ '10-invalid.json': invalid, '20-valid.json': descriptor('valid') }))).toBe('/valid-code')
  })

  test('is found relative to its descriptor', () => {
    const mapping = {
      device: 'flash',
      executable: { filename: '../../OVMF/code.fd', format: 'raw' },
      'nvram-template': { filename: '../../OVMF/vars.fd', format: 'raw' },
    }
    const path = folderOf({ '10-relative.json': descriptor('relative', { mapping }) })
    expect(find(path)).toBe(join(path, '../../OVMF/code.fd'))
  })

  test('is skipped if it needs Secure Boot, has no variables, or is not JSON', () => {
    const path = folderOf({
      '10-smm.json': descriptor('smm', { features: ['requires-smm'] }),
      '20-enrolled.json': descriptor('enrolled', { features: ['enrolled-keys'] }),
      '30-bios.json': descriptor('bios', { 'interface-types': ['bios'] }),
      '40-stateless.json': descriptor('stateless', {
        mapping: { device: 'flash', executable: { filename: '/x', format: 'raw' } },
      }),
      '50-broken.json': '{',
      '60-plain.json': descriptor('plain'),
      README: 'text',
    })
    expect(find(path)).toBe('/plain-code')
  })

  test('overrides one with the same name in an earlier folder, even if empty', () => {
    const system = folderOf({ '10-a.json': descriptor('system'), '20-b.json': descriptor('fallback') })
    expect(find(system, folderOf({ '10-a.json': descriptor('own') }))).toBe('/own-code')
    expect(find(system, folderOf({ '10-a.json': '' }))).toBe('/fallback-code')
    expect(find('/nonexistent')).toBeUndefined()
  })
})
