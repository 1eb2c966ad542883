/**
 * State of a device for each of its machines. A device object is only a description, so several machines may use it,
 * even at the same time. The methods of the device apply to the machine that runs with it. If there are several,
 * `device.of(vm)` selects one.
 */
import { MachineError, OptionError } from '../../errors.ts'
import type { AttachContext } from '../device.ts'

/** States by machine. The state of the last machine stays available after its end, until another machine starts. */
export class PerMachine<State> {
  readonly #device: string
  readonly #byVm = new WeakMap<object, State>()
  readonly #handles = new WeakMap<object, State>()
  readonly #live = new Map<object, { readonly machineName: string; readonly state: State }>()
  #last: State | undefined

  /** @param device name of the device, for errors */
  constructor(device: string) {
    this.#device = device
  }

  /**
   * Adds the state of a machine. Called in `attach` of the device.
   * @throws OptionError `DEVICE_CONFLICT` when the machine has the same device object twice
   */
  add({ vm, machineName, exited }: AttachContext, state: State): void {
    if (this.#live.has(vm)) {
      throw new OptionError(
        'DEVICE_CONFLICT',
        `The same ${this.#device} object is in the \`devices\` of machine "${machineName}" twice`,
        { hint: `Call ${this.#device}() once for each device.` },
      )
    }
    this.#byVm.set(vm, state)
    const live = { machineName, state }
    this.#live.set(vm, live)
    this.#last = state
    void exited.then(() => {
      if (this.#live.get(vm) === live) this.#live.delete(vm)
    })
  }

  /**
   * Returns the state of one machine.
   * @param vm the machine; if undefined, the machine that runs with this device, else the last one
   * @throws OptionError `DEVICE_CONFLICT` when several machines run and `vm` is undefined
   * @throws MachineError `DEVICE_NOT_ATTACHED` when there is none
   */
  get(vm?: object): State {
    if (vm === undefined && this.#live.size > 1) throw this.#ambiguous()
    const [only] = this.#live.values()
    const state = vm === undefined ? (only?.state ?? this.#last) : this.#handleOf(vm)
    if (state !== undefined) return state
    throw new MachineError(
      'DEVICE_NOT_ATTACHED',
      vm === undefined
        ? `This ${this.#device} is not part of a started machine`
        : `This ${this.#device} is not part of that machine`,
    )
  }

  /** Names of the running machines. Sorted, because machines that start concurrently are added in any order. */
  get names(): readonly string[] {
    return [...this.#live.values()].map(({ machineName }) => machineName).toSorted()
  }

  /** Returns a handle, the same each time, that delegates to the current state of the machine, even after a revert. */
  #handleOf(vm: object): State | undefined {
    const known = this.#handles.get(vm)
    const first = this.#byVm.get(vm)
    if (known !== undefined) return known
    if (typeof first !== 'object' || first === null) return first
    const present = (): State & object => {
      const state = this.#byVm.get(vm)
      return typeof state === 'object' && state !== null ? state : first
    }
    const handle = new Proxy(first, {
      get(_, key) {
        const state = present()
        const value: unknown = Reflect.get(state, key, state)
        return typeof value === 'function' ? value.bind(state) : value
      },
      has: (_, key) => Reflect.has(present(), key),
    })
    this.#handles.set(vm, handle)
    return handle
  }

  #ambiguous(): OptionError {
    const names = this.names.map((name) => `"${name}"`)
    return new OptionError(
      'DEVICE_CONFLICT',
      `This ${this.#device} is part of ${names.length} running machines: ${names.join(', ')}`,
      { hint: 'Select one with `of(vm)`, or give each machine its own device object.' },
    )
  }
}
