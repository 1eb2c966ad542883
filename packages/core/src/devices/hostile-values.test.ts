/** Property test: no value of an option adds an argument or an option to the command line of QEMU. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { hostileName } from '../../test/hostile-names.ts'
import { ColdbootError } from '../errors.ts'
import { buildCommandLine } from '../qemu/command-line.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { blockDevice } from './block-device.ts'
import { channel } from './channel.ts'
import { Network } from './network.ts'
import { p9Directory } from './p9-directory.ts'
import { readOnlyDirectory } from './read-only-directory.ts'
import { uefi } from './uefi.ts'
import { userNetwork } from './user-network.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))
const image = join(folder, 'disk.img')
writeFileSync(image, Buffer.alloc(4096))
mkdirSync(join(folder, 'directory'))
const network = new Network()
afterAll(() => network.close())

function fileNamed(name: string): string {
  const path = join(folder, `file-${name}`)
  writeFileSync(path, '')
  return path
}

/** The command line with only the keys of its options. */
function shapeOf(options: MachineOptions, directory = '/private'): readonly string[] {
  const spec = resolveOptions({ arch: 'x86_64', accelerator: 'tcg', ...options })
  const { argv } = buildCommandLine({ spec, qemu: ['qemu'], directory, wiring: 'inherited', sandbox: true })
  return argv.map((word, index) => {
    const option = argv[index - 1] ?? ''
    if (word.startsWith('-') && !/^-(?:kernel|initrd|bios|append)$/.test(option)) return word
    if (/^-(?:kernel|initrd|bios|append)$/.test(option)) return 'text'
    return word
      .replaceAll(',,', '')
      .split(',')
      .map((part) => (part.includes('=') ? part.slice(0, part.indexOf('=')) : part))
      .join()
  })
}

/** Undefined if the value is rejected. */
function shapeOrRefusal(shape: () => readonly string[]): string | undefined {
  try {
    return JSON.stringify(shape())
  } catch (error) {
    if (ColdbootError.is(error) && /^(?:INVALID_OPTION|DEVICE_CONFLICT)$/.test(error.code)) return undefined
    throw error
  }
}

const boots = { kernel: image }
const text = fc.oneof(hostileName, fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 8 }))

test.each<[string, fc.Arbitrary<string>, (value: string) => MachineOptions]>([
  ['kernel', hostileName, (name) => ({ kernel: fileNamed(name) })],
  ['initramfs', hostileName, (name) => ({ ...boots, initramfs: fileNamed(name) })],
  ['firmware', hostileName, (name) => ({ firmware: fileNamed(name) })],
  ['a word of kernelArgs', text, (word) => ({ ...boots, kernelArgs: ['quiet', word] })],
  ['name', text, (name) => ({ ...boots, name })],
  ['memory', text, (memory) => ({ ...boots, memory }) as MachineOptions],
  ['the serial number of a disk', text, (serial) => ({ devices: [blockDevice(image, { serial })] })],
  ['the tag of a directory', text, (tag) => ({ ...boots, devices: [p9Directory(folder, { tag })] })],
  ['a mount point', text, (mountAt) => ({ ...boots, devices: [p9Directory(folder, { mountAt: `/${mountAt}` })] })],
  [
    'the label of a disk',
    text,
    (label) => ({ ...boots, devices: [readOnlyDirectory(join(folder, 'directory'), { label })] }),
  ],
  ['the name of a channel', text, (name) => ({ ...boots, devices: [channel(name)] })],
  ['the address of a card', text, (mac) => ({ ...boots, devices: [network.nic({ mac })] })],
  ['the name of a host', text, (hostname) => ({ ...boots, devices: [userNetwork({ hostname })] })],
  ['a name server', text, (dns) => ({ ...boots, devices: [userNetwork({ dns })] })],
  ['a network', text, (cidr) => ({ ...boots, devices: [userNetwork({ cidr })] })],
  ['a boot file', text, (bootFile) => ({ ...boots, devices: [userNetwork({ bootFile })] })],
  [
    'a directory for TFTP',
    hostileName,
    (name) => {
      const tftp = join(folder, `tftp-${name}`)
      mkdirSync(tftp, { recursive: true })
      return { ...boots, devices: [userNetwork({ tftp })] }
    },
  ],
])('any text for %s is passed as one value or refused', (_title, values, options) => {
  const shapes = new Set<string>()
  fc.assert(
    fc.property(values, (value) => {
      const shape = shapeOrRefusal(() => shapeOf(options(value)))
      if (shape !== undefined) shapes.add(shape)
      expect([...shapes].slice(1)).toEqual([])
    }),
    { numRuns: 60 },
  )
})

test('a private directory of any name adds nothing', () => {
  const directory = join(folder, 'directory')
  const devices = [blockDevice(image), readOnlyDirectory(directory), uefi({ code: image, variables: image })]
  fc.assert(
    fc.property(hostileName, (name) => {
      expect(shapeOf({ devices }, `/tmp/${name}`)).toEqual(shapeOf({ devices }))
    }),
    { numRuns: 60 },
  )
})
