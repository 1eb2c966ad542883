/** Arguments of a device without a machine, and a parser of option strings. */

import type { Device, DeviceContext } from '../src/devices/device.ts'
import type { Architecture } from '../src/options/architecture.ts'
import { buildCommandLine } from '../src/qemu/command-line.ts'
import { resolveOptions } from '../src/spec/machine-spec.ts'

/** Options of {@link qemuArgsOf}. */
export interface AskOptions {
  readonly arch?: Architecture
  readonly wiring?: 'inherited' | 'standalone'
}

/** A bootable device, which every machine needs. */
const BOOTS: Device = { name: 'boots', bootable: true, qemuArgs: () => [] }

/** Number of the first descriptor that a device inherits. */
export const FIRST_FD: number = (() => {
  let first: number | undefined
  qemuArgsOf({
    name: 'probe',
    qemuArgs(context) {
      first = context.inherit()
      return []
    },
  })
  return first ?? 0
})()

/** Arguments of the devices: the difference between the command lines of a machine with and without them. */
export function qemuArgsOf(device: Device | readonly Device[], options: AskOptions = {}): readonly string[] {
  const { arch = 'x86_64', wiring = 'inherited' } = options
  const spec = resolveOptions({ arch, accelerator: 'tcg', devices: [...[device].flat(), BOOTS] })
  const input = { qemu: ['qemu'], directory: '/private', wiring, sandbox: false }
  const bare = buildCommandLine({ spec: { ...spec, devices: [] }, ...input }).argv
  return buildCommandLine({ spec, ...input }).argv.slice(bare.length)
}

/** Words that the device adds to the kernel command line. */
export function kernelArgsOf(device: Device, kernelArgs: readonly string[] = []): readonly string[] {
  const counts = new Map<string, number>()
  const context: DeviceContext = {
    arch: 'x86_64',
    accelerator: 'tcg',
    machine: 'pc',
    kernelArgs,
    directory: '/private',
    position: 0,
    standalone: false,
    attachesAfterRestore: false,
    bootsFromNetwork: false,
    inherit: () => 6,
    id(prefix) {
      const count = counts.get(prefix) ?? 0
      counts.set(prefix, count + 1)
      return `${prefix}${count}`
    },
  }
  return device.kernelArgs?.(context) ?? []
}

/** Parses `head,key=value,…` like QEMU (util/keyval.c): a comma is a separator, a double comma a literal comma. */
export function parseOptionString(text: string): Readonly<Record<string, string>> {
  const parts = text
    .replaceAll(',,', '\0')
    .split(',')
    .map((part) => part.replaceAll('\0', ','))
  return Object.fromEntries(
    parts.map((part, index) => {
      const at = part.indexOf('=')
      return at === -1 && index === 0 ? ['', part] : [part.slice(0, at), part.slice(at + 1)]
    }),
  )
}
