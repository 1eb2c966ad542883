import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFatImage } from 'mkfatfs-wasm'
import { afterAll, describe, expect, test } from 'vitest'
import { type AskOptions, qemuArgsOf } from '../../test/device-arguments.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { type CloudInitOptions, cloudInit } from './cloud-init.ts'
import type { Device } from './device.ts'
import { readOnlyDirectory } from './read-only-directory.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

async function prepare(device: Device): Promise<string> {
  const directory = mkdtempSync(join(folder, 'private-'))
  const { signal } = new AbortController()
  await device.prepare?.({ arch: 'x86_64', machine: 'pc', directory, position: 1, signal })
  return directory
}

/** Text of each file of the seed. */
async function seedOf(options: CloudInitOptions): Promise<Record<string, string>> {
  await using fat = await readFatImage(join(await prepare(cloudInit(options)), 'seed1.img'))
  expect([fat.label, (await fat.list()).every(({ kind }) => kind === 'file')]).toEqual(['CIDATA', true])
  const entries = (await fat.list()).map(async ({ path }) => [path, (await fat.readFile(path)).toString()] as const)
  return Object.fromEntries(await Promise.all(entries))
}

const instanceId = async (options: CloudInitOptions): Promise<string> =>
  /^instance-id: (coldboot-[0-9a-f]{16})$/m.exec((await seedOf(options))['meta-data'] ?? '')?.[1] ?? ''

test.each<[title: string, options: CloudInitOptions, ask: AskOptions, args: readonly string[]]>([
  [
    'a read-only SCSI disk by default',
    {},
    {},
    [
      ...['-blockdev', 'node-name=disk0,driver=raw,read-only=on,file.driver=file,file.filename=/private/seed0.img'],
      ...['-device', 'virtio-scsi-pci,id=scsi0', '-device', 'scsi-hd,bus=scsi0.0,drive=disk0'],
    ],
  ],
  [
    'a virtio disk',
    { interface: 'virtio' },
    {},
    [
      ...['-blockdev', 'node-name=disk0,driver=raw,read-only=on,file.driver=file,file.filename=/private/seed0.img'],
      ...['-device', 'virtio-blk-pci,drive=disk0'],
    ],
  ],
  ['no disk in a command line for a shell', {}, { wiring: 'standalone' }, []],
])('the complete arguments: %s', (_title, options, ask, args) => {
  expect(qemuArgsOf(cloudInit(options), ask)).toEqual(args)
})

describe('the seed', () => {
  test('has user data and meta data also without options', async () => {
    const seed = await seedOf({})
    expect(seed).toEqual({ 'user-data': '', 'meta-data': expect.stringMatching(/^instance-id: coldboot-\w{16}\n$/) })
  })

  test('has objects as YAML 1.1, which PyYAML reads', async () => {
    const long = 'word '.repeat(40).trim()
    const seed = await seedOf({
      userData: { answer: 'yes', mode: '0644', time: '12:30', really: true, long, script: 'a\nb\n', list: [1, null] },
      metaData: { 'local-hostname': 'web' },
      networkConfig: { version: 2, ethernets: { all: { match: { name: 'e*' }, dhcp4: true } } },
      vendorData: { packages: [] },
    })
    expect(seed).toEqual({
      'user-data': [
        ...['#cloud-config', 'answer: "yes"', 'mode: "0644"', 'time: "12:30"', 'really: true', `long: ${long}`],
        ...['script: |', '  a', '  b', 'list:', '  - 1', '  - null', ''],
      ].join('\n'),
      'meta-data': expect.stringMatching(/^instance-id: coldboot-\w{16}\nlocal-hostname: web\n$/),
      'network-config': 'version: 2\nethernets:\n  all:\n    match:\n      name: e*\n    dhcp4: true\n',
      'vendor-data': '#cloud-config\npackages: []\n',
    })
  })

  test('has strings as they are, without blank lines before the header', async () => {
    const userData = '\n#!/bin/sh\necho "$HOME"\n'
    const networkConfig = 'network: { config: disabled }'
    const seed = await seedOf({ userData, networkConfig, metaData: 'instance-id: mine\nlocal-hostname: web\n' })
    expect(seed).toEqual({
      'user-data': '#!/bin/sh\necho "$HOME"\n',
      'network-config': networkConfig,
      'meta-data': 'instance-id: mine\nlocal-hostname: web\n',
    })
  })

  test('is a new instance when one of its parts changes', async () => {
    const seeds: CloudInitOptions[] = [
      {},
      { userData: { bootcmd: ['true'] } },
      { vendorData: { bootcmd: ['true'] } },
      { metaData: { 'local-hostname': 'a' } },
      { networkConfig: { version: 2 } },
    ]
    const ids = await Promise.all(seeds.map(instanceId))
    expect(new Set(ids).size).toBe(seeds.length)
    expect(await instanceId({ userData: { bootcmd: ['true'] } })).toBe(ids[1])
    const identities = seeds.map((seed) => cloudInit(seed).contentIdentity?.())
    expect(new Set(identities).size).toBe(seeds.length)
  })

  test('is that of the call, whatever happens to the objects later', async () => {
    const userData = { hostname: 'one' }
    const device = cloudInit({ userData })
    userData.hostname = 'two'
    await using fat = await readFatImage(join(await prepare(device), 'seed1.img'))
    expect((await fat.readFile('user-data')).toString()).toBe('#cloud-config\nhostname: one\n')
  })

  test('has a layer for the writes of the guest on SATA, which has no write protection', async () => {
    expect(readdirSync(await prepare(cloudInit({ interface: 'ahci' }))).sort()).toEqual(['seed1.img', 'seed1.qcow2'])
  })
})

test.each([
  '#cloud-config\nhostname: x',
  '#cloud-config-archive\n- type: text/cloud-config\n  content: x',
  '#!/bin/sh\ntrue',
  '#include\nhttp://10.0.2.2/seed',
  '#cloud-boothook\ntrue',
  '## template: jinja\n#cloud-config\nhostname: {{ v1.region }}',
  'Content-Type: multipart/mixed; boundary="="\nMIME-Version: 1.0\n\n--=--',
  '',
])('accepts user data that starts with a header of cloud-init: %j', async (userData) => {
  expect((await seedOf({ userData }))['user-data']).toBe(userData)
})

const circular: Record<string, unknown> = {}
circular['self'] = circular

test.each<[title: string, options: object, message: RegExp]>([
  [
    'another first line',
    { userData: '# cloud-config\na: 1' },
    /`userData` starts with "# cloud-config", which cloud-i/,
  ],
  [
    'a template of an unknown part',
    { vendorData: '## template: jinja\nhostname: x' },
    /`vendorData` starts with "## t/,
  ],
  ['bytes', { userData: new Uint8Array(1) }, /`userData` must be a string or an object/],
  ['a list', { userData: ['a'] }, /`userData` must be a string or an object/],
  ['a promise', { userData: Promise.resolve('') }, /`userData` must be a string or an object/],
  [
    'a function in it',
    { userData: { a: [{ b: () => {} }] } },
    /userData\.a\[0\]\.b cannot become YAML: it is a function/,
  ],
  ['a date in it', { metaData: { a: new Date() } }, /metaData\.a cannot become YAML: it is a Date/],
  ['a number that is none', { userData: { a: Number.NaN } }, /userData\.a cannot become YAML: it is NaN/],
  ['a circular object', { userData: circular }, /userData\.self cannot become YAML: it is a circular reference/],
  ['an interface', { interface: 'ide' }, /`interface` must be one of virtio/],
])('refuses %s when it is called', (_title, options, message) => {
  expect(() => cloudInit(options)).toThrow(message)
  expect(() => cloudInit(options)).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})

test('refuses an unknown option, and a second seed', () => {
  expect(() => cloudInit({ userdata: '' } as object)).toThrow(/did you mean `userData`\?/)
  const machine =
    (...devices: Device[]) =>
    () =>
      resolveOptions({ firmware: 'none.bin', devices })
  expect(machine(cloudInit(), cloudInit())).toThrow(/both have label CIDATA/)
  expect(machine(cloudInit(), readOnlyDirectory(folder, { label: 'cidata' }))).toThrow(/both have label CIDATA/)
})

test.each<[title: string, options: CloudInitOptions, message: RegExp]>([
  ['user data', { userData: '#cloud-config\na: [1\nb: 2' }, /`userData` is not valid YAML: .* at line 3/],
  ['user data that is a list', { userData: '#cloud-config\n- a' }, /`userData` must be a YAML mapping/],
  ['an archive that is a mapping', { userData: '#cloud-config-archive\na: 1' }, /`userData` must be a YAML list/],
  ['meta data', { metaData: 'just text' }, /`metaData` must be a YAML mapping/],
  ['a network configuration', { networkConfig: 'a:\n\tb: 1' }, /`networkConfig` is not valid YAML/],
  [
    'a network configuration without version',
    { networkConfig: { ethernets: {} } },
    /`networkConfig` must have `version/,
  ],
])('refuses invalid YAML before QEMU starts: %s', async (_title, options, message) => {
  const attempt = prepare(cloudInit(options))
  await expect(attempt).rejects.toThrow(message)
  await expect(attempt).rejects.toMatchObject({ name: 'OptionError', code: 'INVALID_OPTION' })
})
