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

// Runs the script for real, with folders of a test instead of sysfs.
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

describe('the drivers that are loaded', () => {
  test('are none without a device that needs one', async () => {
    expect(await driversFor({})).toEqual([])
    expect(await driversFor({ 'pci/0': 'pci:v00008086d00001237sv00001AF4sd00001100bc06sc00i00' })).toEqual([])
  })

  test('are those of a virtio device and its bus, old and new', async () => {
    expect(await driversFor({ 'pci/0': 'pci:v00001AF4d00001000sv00001AF4sd00000001bc02sc00i00' })).toEqual([
      'virtio_pci',
      'virtio_net',
    ])
    expect(await driversFor({ 'pci/0': 'pci:v00001AF4d00001041sv00001AF4sd00001100bc02sc00i00' })).toEqual([
      'virtio_pci',
      'virtio_net',
    ])
  })

  test('are found on a virtio bus that is there already', async () => {
    expect(await driversFor({ 'virtio/virtio0': 'virtio:d00000001v00001AF4' })).toEqual(['virtio_net'])
  })

  test('come with the driver of the disks on a controller', async () => {
    expect(await driversFor({ 'pci/0': 'pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01' })).toEqual([
      'ahci',
      'sd_mod',
    ])
    const without = MODULES.filter(({ name }) => name !== 'sd_mod')
    expect(await driversFor({ 'virtio/0': 'virtio:d00000008v00001AF4' }, without)).toEqual(['virtio_scsi'])
  })

  test('are only those that the kernel has', async () => {
    expect(await driversFor({ 'pci/0': 'pci:v00001AF4d00001041sv0sd0bc0sc0i0' }, [])).toEqual([])
  })
})

test('an alias that a shell would read as more than a pattern is left out', () => {
  expect(findDriversScript([module('ahci', 'pci:v1) reboot ;; esac #')])).toBe('')
})
