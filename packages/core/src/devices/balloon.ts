/** Memory balloon: takes memory from the running guest and returns it. */

import { MachineError, OptionError } from '../errors.ts'
import { ARCHITECTURES } from '../options/architecture.ts'
import { isMemorySize, type MemorySize, memoryMibOf } from '../options/checked-options.ts'
import type { AttachContext, Device } from './device.ts'
import { abortable, type SignalOptions } from './helpers/abortable.ts'
import { PerMachine } from './helpers/per-machine.ts'

/** The balloon of one machine. */
export interface BalloonHandle {
  /**
   * Sets the memory of the guest, at most its initial memory, and waits until the guest has adjusted it.
   *
   * @param memory size with its unit, such as `'128M'`
   * @returns resulting memory, MiB
   * @throws OptionError `INVALID_OPTION`
   * @throws MachineError `QMP_FAILED` when the guest has not loaded the driver; `MACHINE_EXITED`, `DEVICE_NOT_ATTACHED`
   * @throws ExpectError `EXPECT_ABORTED`
   */
  resize(memory: MemorySize, options?: SignalOptions): Promise<number>
  /** Current memory of the guest, MiB. @throws MachineError as `resize` does */
  size(): Promise<number>
}

/** A device, and the balloon of the one machine that runs with it. */
export interface Balloon extends Device, BalloonHandle {
  /** The balloon of one machine. */
  of(vm: object): BalloonHandle
}

const MIB = 1 << 20

/** A virtio memory balloon; the guest's kernel needs `virtio_balloon`. */
export function balloon(): Balloon {
  const machines = new PerMachine<BalloonHandle>('balloon')
  return {
    name: 'balloon',
    portable: { kind: 'balloon', options: {} },
    claims: ['device:balloon'],
    qemuArgs: ({ arch }) => ['-device', `virtio-balloon-${ARCHITECTURES[arch].virtioTransport}`],
    attach: (context) => machines.add(context, balloonOf(context)),
    resize: async (memory, options) => machines.get().resize(memory, options),
    size: async () => machines.get().size(),
    of: (vm) => machines.get(vm),
  }
}

function balloonOf({ qmp, machineName, exited }: AttachContext): BalloonHandle {
  const size = async (): Promise<number> => {
    const { actual } = (await qmp.execute('query-balloon')) as { readonly actual: number }
    return actual / MIB
  }
  return {
    size,
    async resize(memory, options = {}) {
      if (!isMemorySize[1](memory)) {
        throw new OptionError(
          'INVALID_OPTION',
          `balloon: the memory must be ${isMemorySize[0]}, but is ${String(memory)}`,
        )
      }
      const target = memoryMibOf(memory)
      const { promise: reached, resolve, reject } = Promise.withResolvers<number>()
      using _listener = qmp.onEvent(({ event, data }) => {
        if (event === 'BALLOON_CHANGE' && data['actual'] === target * MIB) resolve(target)
      })
      void exited.then(() => reject(new MachineError('MACHINE_EXITED', `Machine "${machineName}" ended first`)))
      reached.catch(() => {})
      await qmp.execute('balloon', { value: target * MIB })
      // QEMU sends no event if the memory already has this size.
      if ((await size()) === target) return target
      return await abortable(reached, `machine "${machineName}" to have ${target} MiB`, options)
    },
  }
}
