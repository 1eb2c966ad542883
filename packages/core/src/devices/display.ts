/** Graphics card with screenshots, for boot menus, installers and desktops. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { OptionError } from '../errors.ts'
import { ARCHITECTURES, type Architecture } from '../options/architecture.ts'
import { type CheckTable, checkTable, oneOf, wholeNumber } from '../options/checked-options.ts'
import type { AttachContext, Device } from './device.ts'
import { optionString } from './helpers/option-string.ts'
import { PerMachine } from './helpers/per-machine.ts'
import { plainOptions } from './helpers/plain-options.ts'

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
}

/** The screen of one machine. */
export interface Screen {
  /**
   * Takes a screenshot, as a PNG file.
   * @throws MachineError `QMP_FAILED`, `MACHINE_EXITED`, `DEVICE_NOT_ATTACHED`
   */
  screenshot(): Promise<Uint8Array>
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
}

/**
 * Adds a graphics card and a screen, visible only in screenshots. No window opens on the host.
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function display(options: DisplayOptions = {}): Display {
  checkTable('display', options, CHECKS)
  const machines = new PerMachine<Screen>('display')
  const modelFor = (arch: Architecture): 'vga' | 'virtio' =>
    options.model ?? (VGA_BY_DEFAULT.includes(arch) ? 'vga' : 'virtio')
  return {
    name: 'display',
    portable: { kind: 'display', options: plainOptions(options) },
    validate({ arch }) {
      if (modelFor(arch) === 'virtio' || ARCHITECTURES[arch].virtioTransport === 'pci') return
      throw new OptionError('INVALID_OPTION', `display: ${arch} machines have no VGA`, {
        hint: 'Remove `model`: the right one for the machine is chosen.',
      })
    },
    qemuArgs(context) {
      const driver =
        modelFor(context.arch) === 'vga' ? 'VGA' : `virtio-gpu-${ARCHITECTURES[context.arch].virtioTransport}`
      const { width: xres, height: yres } = options
      return ['-device', optionString(driver, { id: context.id('display'), xres, yres })]
    },
    attach: (context) => machines.add(context, screenOf(context)),
    screenshot: async () => machines.get().screenshot(),
    of: (vm) => machines.get(vm),
  }
}

function screenOf({ qmp, directory, ids }: AttachContext): Screen {
  const [id = ''] = ids
  let count = 0
  return {
    async screenshot() {
      const filename = join(directory, `${id}-${count++}.png`)
      await qmp.execute('screendump', { filename, device: id, format: 'png' })
      const png = await readFile(filename)
      await rm(filename)
      return png
    },
  }
}
