/** Selects devices by architecture, for options that are shared between architectures. */

import { OptionError } from '../errors.ts'
import { ARCHITECTURES, type Architecture } from '../options/architecture.ts'
import type { Device } from './device.ts'

/** Devices by architecture: one device, a list, or an empty list. */
export type DevicesByArch = { readonly [Arch in Architecture]?: Device | readonly Device[] }

/**
 * Selects the devices for the architecture of the machine. An architecture without an entry gets no devices:
 * `forArch({ x86_64: display(), aarch64: [] })`.
 *
 * @throws OptionError `UNKNOWN_OPTION` for an unknown architecture
 */
export function forArch(devices: DevicesByArch): Device {
  for (const arch of Object.keys(devices)) {
    if (Object.hasOwn(ARCHITECTURES, arch)) continue
    throw new OptionError('UNKNOWN_OPTION', `forArch: unknown architecture \`${arch}\``, {
      hint: `The architectures are ${Object.keys(ARCHITECTURES).join(', ')}.`,
    })
  }
  return { name: 'forArch', expand: (arch) => [devices[arch] ?? []].flat(), qemuArgs: () => [] }
}
