/** A further serial console of the guest, with an `expect` of its own: for a second shell, or a program's own port. */
import { join } from 'node:path'
import { Console } from '../console/console.ts'
import type { ExpectOptions } from '../console/expect/expect-options.ts'
import { Transcript } from '../console/log/transcript.ts'
import type { Match, PatternInput } from '../console/match/pattern.ts'
import { MachineError, OptionError } from '../errors.ts'
import { ARCHITECTURES, type Architecture } from '../options/architecture.ts'
import { type CheckTable, checkTable, oneOf } from '../options/checked-options.ts'
import type { AttachContext, Device } from './device.ts'
import { optionString } from './helpers/option-string.ts'
import { PerMachine } from './helpers/per-machine.ts'
import { plainOptions } from './helpers/plain-options.ts'

/** Options of {@link serial}. */
export interface SerialOptions {
  /**
   * `uart`: a PC's serial port, `/dev/ttyS1` to `/dev/ttyS3` in the order of the devices. `virtio`: `/dev/hvc0` and up
   * (on ppc64 from `/dev/hvc1`), which needs `virtio_console`. @default 'uart' on PCs, else 'virtio'
   */
  readonly model?: 'uart' | 'virtio'
}

/** A serial port of one machine. Works as the machine's own console does. */
export interface SerialPort {
  /** @throws as `vm.expect` does */
  expect(pattern: PatternInput, options?: ExpectOptions): Promise<Match>
  /** Looks for the pattern in everything printed so far: does not wait, does not consume. */
  hasPrinted(pattern: PatternInput): Match | undefined
  /** Types on it. @throws MachineError `MACHINE_EXITED` after the end */
  send(data: string | Uint8Array): void
  /** The text so far, escape codes removed; of a very long one the end. */
  output(): string
}

/** A device, and the port of the one machine that runs with it. */
export interface Serial extends Device, SerialPort {
  /** The port of one machine. */
  of(vm: object): SerialPort
}

const CHECKS: CheckTable<Required<SerialOptions>> = { model: oneOf(['uart', 'virtio']) }

/** Besides the machine's own console: a PC has four in all (MAX_ISA_SERIAL_PORTS in QEMU). */
const MOST_UARTS = 3

/**
 * A further serial port. For bytes that must arrive as they are, and fast, take `channel()`.
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
    attach: (context) => machines.add(context, portOf(context)),
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

function portOf({
  streams,
  ids,
  machineName,
  directory,
  exited,
  timeout,
  timeoutMultiplier,
  failOn = {},
}: AttachContext): SerialPort {
  const [socket] = streams
  const [id = ''] = ids
  if (!socket) throw new TypeError('a serial port is attached with one stream')
  const transcript = new Transcript({ file: { path: join(directory, `${id}.log`) } })
  const console = new Console({
    name: `${machineName}, ${id}`,
    transcript,
    timeoutMs: timeout,
    scale: (milliseconds) => milliseconds * timeoutMultiplier,
    failOn,
  })
  console.attach(socket)
  void exited
    .then(() => console.end(() => new MachineError('MACHINE_EXITED', `Machine "${machineName}" ended`)))
    .then(() => transcript.close())
  return {
    expect: (pattern, options) => console.expect(pattern, options),
    hasPrinted: (pattern) => console.hasPrinted(pattern),
    send: (data) => console.send(data),
    output: () => console.text(),
  }
}
