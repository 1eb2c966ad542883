/** Devices that differ between architectures, for options that are shared by machines of several. */

import { OptionError } from '../errors.ts'
import { ARCHITECTURES, type Architecture } from '../options/architecture.ts'
import type { Device } from './device.ts'

/** Devices by architecture; one, several, or none. */
export type DevicesByArch = { readonly [Arch in Architecture]?: Device | readonly Device[] }

/**
 * Stands for the devices of the machine's architecture, and for none where there is no entry:
 * `forArch({ x86_64: display(), aarch64: [] })`.
 *
 * @throws OptionError `UNKNOWN_OPTION` for an architecture that is none
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
