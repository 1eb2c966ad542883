/** Observer that receives the events of machines. It cannot change their behaviour. */

import type { Device } from '../devices/device.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import type { AcceleratorName } from '../host/environment.ts'
import type { Architecture } from '../options/architecture.ts'

/** A machine, as passed to its observer. */
export interface ObservedMachine {
  readonly name: string
  readonly arch: Architecture
  readonly accelerator: AcceleratorName
  readonly memoryMib: number
  readonly cpus: number
  /** Version of QEMU, such as `7.2.22`. */
  readonly qemuVersion: string
  /** `cold` if the machine boots, `template` if it is restored. */
  readonly start: 'cold' | 'template'
  /** Arguments that start the same machine by hand. */
  readonly commandLine: readonly string[]
  /** `commandLine` as one line for a POSIX shell. */
  readonly commandLineQuoted: string
  /** Path of the console log. */
  readonly logFile: string
  readonly devices: readonly Device[]
}

/**
 * Called for each machine that starts with these options, before its first output. If a template is built, there are
 * two machines: one that is saved as the template, and one that is started from it.
 *
 * @returns a listener for events. Times are milliseconds since the start of the machine, as in the timing file of the
 * log. Times of QMP messages from before the start of a pooled machine are negative.
 */
export type MachineObserver = (machine: ObservedMachine) => (event: MachineEvent, timeMs: number) => void
