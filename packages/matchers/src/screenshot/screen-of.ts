/** The screen of a machine, found among its devices. */
import { type Device, type Display, OptionError, type Screen } from '@coldboot/core'
import type { MatcherVM } from '../matcher-vm.ts'

/**
 * @param wanted which one, where the machine has several
 * @throws OptionError `INVALID_OPTION` when it has none, or several
 */
export function screenOf(vm: MatcherVM, wanted: Display | undefined): Screen {
  const displays = vm.spec.devices.filter(isDisplay)
  if (wanted !== undefined) return wanted.of(vm)
  const [only, ...others] = displays
  if (only !== undefined && others.length === 0) return only.of(vm)
  const what = only === undefined ? 'has no screen' : `has ${displays.length} screens`
  const hint =
    only === undefined
      ? 'Give it one: `devices: [display()]`, with `display` from @coldboot/core.'
      : 'Say which one, with the option `display`.'
  throw new OptionError('INVALID_OPTION', `toMatchScreenshot: "${vm.name}" ${what}`, { hint })
}

/** By shape: there may be two copies of the class. */
function isDisplay(device: Device): device is Display {
  return device.name === 'display' && 'of' in device && typeof device.of === 'function'
}
