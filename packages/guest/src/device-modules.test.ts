import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { findDriversScript } from './device-modules.ts'
import type { KernelModule } from './modules.ts'

function module(name: string, ...aliases: string[]): KernelModule {
  return { name, path: `kernel/${name}.ko`, sha256: '', depends: [], softDepends: [], aliases }
}
const MODULES = [
  module('virtio_pci', 'pci:v00001AF4d*sv*sd*bc*sc*i*'),
  module('virtio_net', 'virtio:d00000001v*'),
  module('virtio_scsi', 'virtio:d00000008v*'),
  module('sd_mod', 'scsi:t-0x00*'),
  module('ahci', 'pci:v*d*sv*sd*bc01sc06i01*', 'pci:v00008086d00002652sv*sd*bc*sc*i*'),
]

// Runs the script in a shell, with directories of the test instead of sysfs.
async function driversFor(devices: Readonly<Record<string, string>>, modules = MODULES): Promise<string[]> {
  const sys = await mkdtemp(join(tmpdir(), 'device-modules-'))
  for (const [path, modalias] of Object.entries(devices)) {
    const directory = join(sys, 'bus', path.replace('/', '/devices/'))
    await mkdir(directory, { recursive: true })
    await writeFile(join(directory, 'modalias'), `${modalias}\n`)
  }
  const script = findDriversScript(modules).replaceAll('/sys/', `${sys}/`)
  return execFileSync('sh', ['-c', `modules=\n${script}echo $modules`], { encoding: 'utf8' })
    .split(/\s+/)
    .filter(Boolean)
}

describe('the drivers found for devices', () => {
  test('are empty without devices', async () => {
    expect(await driversFor({})).toEqual([])
    expect(await driversFor({ 'pci/0': 'pci:v00008086d00001237sv00001AF4sd00001100bc06sc00i00' })).toEqual([])
  })

  test('include those of a virtio device and its bus, transitional or modern', async () => {
    expect(await driversFor({ 'pci/0': 'pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00' })).toEqual([
      'virtio_pci',
      'virtio_net',
    ])
    expect(await driversFor({ 'pci/0': 'pci:v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00' })).toEqual([
      'virtio_pci',
      'virtio_net',
    ])
  })

  test('include that of a device on a registered virtio bus', async () => {
    expect(await driversFor({ 'virtio/virtio0': 'virtio:d00000001v00001AF4' })).toEqual(['virtio_net'])
  })

  test('include the disk driver for a controller', async () => {
    expect(await driversFor({ 'pci/0': 'pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01' })).toEqual([
      'ahci',
      'sd_mod',
    ])
    const without = MODULES.filter(({ name }) => name !== 'sd_mod')
    expect(await driversFor({ 'virtio/0': 'virtio:d00000008v00001AF4' }, without)).toEqual(['virtio_scsi'])
  })

  test('omit those that the kernel lacks', async () => {
    expect(await driversFor({ 'pci/0': 'pci:v00001AF4d00001041sv0sd0bc0sc0i0' }, [])).toEqual([])
  })
})

test('omits an alias that contains shell syntax besides a pattern', () => {
  expect(findDriversScript([module('ahci', 'pci:v1) reboot ;; esac #')])).toBe('')
})
