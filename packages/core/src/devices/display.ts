/** Graphics card with keyboard and pointer, for boot menus, installers and desktops. */
import { OptionError } from '../errors.ts'
import { linkMachine, machineShownBy } from '../events/shown-machine.ts'
import { ARCHITECTURES, type Architecture } from '../options/architecture.ts'
import { type CheckTable, checkTable, isFlag, oneOf, wholeNumber } from '../options/checked-options.ts'
import type { Device, DeviceContext } from './device.ts'
import { optionString } from './helpers/option-string.ts'
import { PerMachine } from './helpers/per-machine.ts'
import { plainOptions } from './helpers/plain-options.ts'
import { type Screen, screenOf } from './screen/screen.ts'

/** Options of {@link display}. */
export interface DisplayOptions {
  /**
   * `vga` works from the first instruction of the firmware of a PC; `virtio` needs a driver in the firmware or kernel.
   * @default 'vga' on PCs and ppc64, else 'virtio'
   */
  readonly model?: 'vga' | 'virtio'
  /** Preferred width, pixels; the guest may use another one. Requires `height`. @default QEMU's, 1280 */
  readonly width?: number
  /** Preferred height, pixels. Requires `width`. @default QEMU's, 800 */
  readonly height?: number
  /**
   * Whether the machine has a USB tablet as the pointer, for `click` and similar methods. The guest needs drivers for
   * USB (xHCI) and HID.
   * @default false
   */
  readonly pointer?: boolean
}

/** A device, and the screen of the one machine that runs with it. */
export interface Display extends Device, Screen {
  /** The screen of one machine. */
  of(vm: object): Screen
}

const VGA_BY_DEFAULT: readonly Architecture[] = ['x86_64', 'i386', 'ppc64']

const CHECKS: CheckTable<Required<DisplayOptions>> = {
  model: oneOf(['vga', 'virtio']),
  width: wholeNumber(320, 16_384),
  height: wholeNumber(200, 16_384),
  pointer: isFlag,
}

/**
 * Adds a graphics card, a screen and a keyboard. No window opens on the host.
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function display(options: DisplayOptions = {}): Display {
  checkTable('display', options, CHECKS)
  const machines = new PerMachine<Screen>('display')
  const modelFor = (arch: Architecture): 'vga' | 'virtio' =>
    options.model ?? (VGA_BY_DEFAULT.includes(arch) ? 'vga' : 'virtio')
  const device: Display = {
    name: 'display',
    portable: { kind: 'display', options: plainOptions(options) },
    validate({ arch }) {
      if (options.pointer === true && ARCHITECTURES[arch].virtioTransport !== 'pci') {
        throw new OptionError(
          'INVALID_OPTION',
          `display: \`pointer\` is a USB device, but ${arch} machines have no USB`,
        )
      }
      if (modelFor(arch) === 'virtio' || ARCHITECTURES[arch].virtioTransport === 'pci') return
      throw new OptionError('INVALID_OPTION', `display: ${arch} machines have no VGA`, {
        hint: 'Remove `model`: the right one for the machine is chosen.',
      })
    },
    qemuArgs(context) {
      const driver =
        modelFor(context.arch) === 'vga' ? 'VGA' : `virtio-gpu-${ARCHITECTURES[context.arch].virtioTransport}`
      const { width: xres, height: yres } = options
      const id = context.id('display')
      return [
        ...['-device', optionString(driver, { id, xres, yres })],
        ...keyboardArgs(context, id),
        ...(options.pointer === true ? pointerArgs(context, id) : []),
      ]
    },
    attach: (context) => machines.add(context, screenOf(context, options.pointer === true)),
    screenshot: async () => machines.get().screenshot(),
    text: async (textOptions) => machines.get().text(textOptions),
    type: async (text, typeOptions) => machines.get().type(text, typeOptions),
    press: async (keys, pressOptions) => machines.get().press(keys, pressOptions),
    hold: async (keys) => machines.get().hold(keys),
    move: async (point) => machines.get().move(point),
    click: async (point, clickOptions) => machines.get().click(point, clickOptions),
    drag: async (from, to) => machines.get().drag(from, to),
    wheel: async (steps, wheelOptions) => machines.get().wheel(steps, wheelOptions),
    of: (vm) => machines.get(vm),
  }
  return linkMachine(device, () => machineShownBy(machines.get()) ?? device)
}

/** Arguments of the keyboard. PCs have a PS/2 keyboard anyway, and QEMU has no keyboard for s390x. */
function keyboardArgs({ arch }: DeviceContext, display: string): readonly string[] {
  if (['x86_64', 'i386', 's390x'].includes(arch)) return []
  return ['-device', optionString('virtio-keyboard-pci', { display })]
}

/** Arguments of the pointer: a tablet, because its coordinates are absolute, unlike those of a mouse. */
function pointerArgs(context: DeviceContext, display: string): readonly string[] {
  const usb = context.id('usb')
  return [
    ...['-device', optionString('qemu-xhci', { id: usb })],
    ...['-device', optionString('usb-tablet', { bus: `${usb}.0`, display })],
  ]
}
