/**
 * What a device keeps of each machine it is part of. A device object describes; the same one may stand in the options of
 * many machines, also at the same time. Its own methods mean the one machine that runs with it, and refuse to guess when
 * there are several: `device.of(vm)` names one.
 */
import { MachineError, OptionError } from '../../errors.ts'
import type { AttachContext } from '../device.ts'

/** States by machine. The one of the machine that ended last stays reachable until the next one starts. */
export class PerMachine<State> {
  readonly #device: string
  readonly #byVm = new WeakMap<object, State>()
  readonly #live = new Map<object, { readonly machineName: string; readonly state: State }>()
  #last: State | undefined

  /** @param device the device's name, for errors */
  constructor(device: string) {
    this.#device = device
  }

  /**
   * Keeps the state of the machine that the device is being attached to.
   * @throws OptionError `DEVICE_CONFLICT` when the machine has the same device object twice
   */
  add({ vm, machineName, exited }: AttachContext, state: State): void {
    if (this.#byVm.has(vm)) {
      throw new OptionError(
        'DEVICE_CONFLICT',
        `The same ${this.#device} object is in the \`devices\` of machine "${machineName}" twice`,
        { hint: `Call ${this.#device}() once for each device.` },
      )
    }
    this.#byVm.set(vm, state)
    this.#live.set(vm, { machineName, state })
    this.#last = state
    void exited.then(() => this.#live.delete(vm))
  }

  /**
   * The state of one machine.
   * @param vm the machine; undefined: the one that runs with this device, else the last one that did
   * @throws OptionError `DEVICE_CONFLICT` when several run and none was named
   * @throws MachineError `DEVICE_NOT_ATTACHED` when there is none
   */
  get(vm?: object): State {
    if (vm === undefined && this.#live.size > 1) throw this.#ambiguous()
    const [only] = this.#live.values()
    const state = vm === undefined ? (only?.state ?? this.#last) : this.#byVm.get(vm)
    if (state !== undefined) return state
    throw new MachineError(
      'DEVICE_NOT_ATTACHED',
      vm === undefined
        ? `This ${this.#device} is not part of a started machine`
        : `This ${this.#device} is not part of that machine`,
    )
  }

  #ambiguous(): OptionError {
    // Machines that are started together come in any order.
    const names = [...this.#live.values()].map(({ machineName }) => `"${machineName}"`).toSorted()
    return new OptionError(
      'DEVICE_CONFLICT',
      `This ${this.#device} is part of ${names.length} running machines: ${names.join(', ')}`,
      { hint: 'Select one with `of(vm)`, or give each machine its own device object.' },
    )
  }
}
