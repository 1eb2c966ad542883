/** Finds the screen of a machine among its devices. */
import { type Device, type Display, OptionError, type Screen } from '@coldboot/core'
import type { MatcherVM } from '../matcher-vm.ts'

/**
 * @param wanted the display to use, if the machine has several
 * @throws OptionError `INVALID_OPTION` if the machine has no display, or several and `wanted` is undefined
 */
export function screenOf(vm: MatcherVM, wanted: Display | undefined): Screen {
  const displays = vm.spec.devices.filter(isDisplay)
  if (wanted !== undefined) return wanted.of(vm)
  const [only, ...others] = displays
  if (only !== undefined && others.length === 0) return only.of(vm)
  const what = only === undefined ? 'has no screen' : `has ${displays.length} screens`
  const hint =
    only === undefined
      ? 'Add one to the options of the machine: `devices: [display()]`, with `display` from @coldboot/core.'
      : 'Select one with the option `display`.'
  throw new OptionError('INVALID_OPTION', `toMatchScreenshot: "${vm.name}" ${what}`, { hint })
}

/** Checks by shape, because a worker may load two copies of the class. */
function isDisplay(device: Device): device is Display {
  return device.name === 'display' && 'of' in device && typeof device.of === 'function'
}
