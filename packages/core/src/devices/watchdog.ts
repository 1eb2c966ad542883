/** Watchdog timer: QEMU acts if the guest does not write to `/dev/watchdog` in time. */

import { MachineError } from '../errors.ts'
import { ARCHITECTURES } from '../options/architecture.ts'
import { type CheckTable, checkTable, oneOf } from '../options/checked-options.ts'
import type { AttachContext, Device } from './device.ts'
import { abortable, type SignalOptions } from './helpers/abortable.ts'
import { optionString } from './helpers/option-string.ts'
import { PerMachine } from './helpers/per-machine.ts'

/** Action of QEMU if the guest does not write in time (WatchdogAction in qapi/run-state.json). */
export type WatchdogAction = 'reset' | 'shutdown' | 'poweroff' | 'inject-nmi' | 'pause' | 'none'

/** Options of {@link watchdog}. */
export interface WatchdogOptions {
  /**
   * Action. `reset` ends the machine with the reason `guest-reset`, unless `allowReboot` is set; `pause` stops its
   * CPUs.
   * @default 'reset'
   */
  readonly action?: WatchdogAction
}

/** The watchdog of one machine. */
export interface WatchdogHandle {
  /**
   * Waits until the watchdog fires, or returns at once if it already has.
   * @returns the action of QEMU
   * @throws MachineError `MACHINE_EXITED` when the machine ends before; `DEVICE_NOT_ATTACHED`
   * @throws ExpectError `EXPECT_ABORTED`
   */
  fired(options?: SignalOptions): Promise<WatchdogAction>
}

/** A device, and the watchdog of the one machine that runs with it. */
export interface Watchdog extends Device, WatchdogHandle {
  /** The watchdog of one machine. */
  of(vm: object): WatchdogHandle
}

const ACTIONS: readonly WatchdogAction[] = ['reset', 'shutdown', 'poweroff', 'inject-nmi', 'pause', 'none']
const CHECKS: CheckTable<Required<WatchdogOptions>> = { action: oneOf(ACTIONS) }

/**
 * Adds a watchdog: Intel 6300ESB (Linux driver `i6300esb`), on s390x `diag288` (`diag288_wdt`).
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function watchdog(options: WatchdogOptions = {}): Watchdog {
  checkTable('watchdog', options, CHECKS)
  const { action = 'reset' } = options
  const machines = new PerMachine<WatchdogHandle>('watchdog')
  return {
    name: 'watchdog',
    portable: { kind: 'watchdog', options: { action } },
    // One watchdog per machine, because QEMU has a single action for all watchdogs.
    claims: ['device:watchdog'],
    qemuArgs({ arch }) {
      const model = ARCHITECTURES[arch].virtioTransport === 'ccw' ? 'diag288' : 'i6300esb'
      return ['-device', model, '-action', optionString(undefined, { watchdog: action })]
    },
    attach: (context) => machines.add(context, watchdogOf(context)),
    fired: async (waitOptions) => machines.get().fired(waitOptions),
    of: (vm) => machines.get(vm),
  }
}

function watchdogOf({ qmp, machineName, exited }: AttachContext): WatchdogHandle {
  const { promise, resolve, reject } = Promise.withResolvers<WatchdogAction>()
  promise.catch(() => {})
  qmp.onEvent(({ event, data }) => {
    if (event === 'WATCHDOG') resolve(data['action'] as WatchdogAction)
  })
  void exited.then(() =>
    reject(new MachineError('MACHINE_EXITED', `Machine "${machineName}" ended before its watchdog fired`)),
  )
  return {
    fired: (options = {}) => abortable(promise, `the watchdog of machine "${machineName}" to fire`, options),
  }
}
