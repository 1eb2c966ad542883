/** Additional serial port with its own `expect`, for a second shell or another program. */
import { OptionError } from '../errors.ts'
import { ARCHITECTURES, type Architecture } from '../options/architecture.ts'
import { type CheckTable, checkTable, oneOf } from '../options/checked-options.ts'
import type { Device } from './device.ts'
import { optionString } from './helpers/option-string.ts'
import { PerMachine } from './helpers/per-machine.ts'
import { plainOptions } from './helpers/plain-options.ts'
import type { SerialPort } from './serial-port.ts'

export type { SerialPort }

/** Options of {@link serial}. */
export interface SerialOptions {
  /**
   * `uart` is a serial port of a PC, `/dev/ttyS1` to `/dev/ttyS3` in the order of the devices. `virtio` is `/dev/hvc0`
   * and up (on ppc64 from `/dev/hvc1`), and needs `virtio_console`. QEMU drops output of a virtio port that is not read
   * in time, instead of stopping the guest (hw/char/virtio-console.c). @default 'uart' on PCs, else 'virtio'
   */
  readonly model?: 'uart' | 'virtio'
}

/** A device, and the port of the one machine that runs with it. */
export interface Serial extends Device, SerialPort {
  /** The port of one machine. */
  of(vm: object): SerialPort
}

const CHECKS: CheckTable<Required<SerialOptions>> = { model: oneOf(['uart', 'virtio']) }

/** Most serial ports of a PC besides the console. It has four in total (MAX_ISA_SERIAL_PORTS in QEMU). */
const MOST_UARTS = 3

/**
 * Adds a serial port. For fast binary transfers, use `channel()`.
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function serial(options: SerialOptions = {}): Serial {
  checkTable('serial', options, CHECKS)
  const machines = new PerMachine<SerialPort>('serial')
  const modelFor = (arch: Architecture): 'uart' | 'virtio' => options.model ?? (isPc(arch) ? 'uart' : 'virtio')
  return {
    name: 'serial',
    portable: { kind: 'serial', options: plainOptions(options) },
    validate({ arch }) {
      if (modelFor(arch) === 'virtio' || isPc(arch)) return
      throw new OptionError('INVALID_OPTION', `serial: ${arch} machines have only one \`uart\`, the console`, {
        hint: 'Remove `model`: a virtio port is chosen.',
      })
    },
    qemuArgs(context) {
      const [chardev, fd] = [context.id('serial'), context.inherit()]
      const backend =
        fd === undefined ? optionString('null', { id: chardev }) : optionString('socket', { id: chardev, fd })
      if (modelFor(context.arch) === 'virtio') {
        const bus = context.id('ports')
        return [
          ...['-chardev', backend],
          ...['-device', optionString(`virtio-serial-${ARCHITECTURES[context.arch].virtioTransport}`, { id: bus })],
          ...['-device', optionString('virtconsole', { bus: `${bus}.0`, chardev })],
        ]
      }
      const uart = context.id('uart')
      if (uart === `uart${MOST_UARTS}`) {
        throw new OptionError(
          'INVALID_OPTION',
          `serial: a PC has at most ${MOST_UARTS} serial ports besides its console`,
          {
            hint: "Use `model: 'virtio'` for the others.",
          },
        )
      }
      return ['-chardev', backend, '-device', optionString('isa-serial', { id: uart, chardev })]
    },
    async attach(context) {
      // Imported here, because the module loads the console, which is needed only by a machine.
      const { attachPort } = await import('./serial-port.ts')
      machines.add(context, attachPort(context))
    },
    expect: async (pattern, expectOptions) => machines.get().expect(pattern, expectOptions),
    hasPrinted: (pattern) => machines.get().hasPrinted(pattern),
    send: (data) => machines.get().send(data),
    output: () => machines.get().output(),
    of: (vm) => machines.get(vm),
  }
}

function isPc(arch: Architecture): boolean {
  return arch === 'x86_64' || arch === 'i386'
}
