/** Whoever writes down what a machine does: told of it while it happens, and without a say in it. */

import type { Device } from '../devices/device.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import type { AcceleratorName } from '../host/environment.ts'
import type { Architecture } from '../options/architecture.ts'

/** A machine, as its observer is told of it. */
export interface ObservedMachine {
  readonly name: string
  readonly arch: Architecture
  readonly accelerator: AcceleratorName
  readonly memoryMib: number
  readonly cpus: number
  /** As `7.2.22`. */
  readonly qemuVersion: string
  /** `cold`: it boots. `template`: it goes on from a save. */
  readonly start: 'cold' | 'template'
  /** Arguments that start the same machine from a person's shell. */
  readonly commandLine: readonly string[]
  /** The same as one line for a POSIX shell. */
  readonly commandLineQuoted: string
  /** Path of the console log. */
  readonly logFile: string
  readonly devices: readonly Device[]
}

/**
 * Is told of each machine that starts with the options it is part of, before that has printed anything. With templates
 * there can be two: the one that becomes the template, and the one that is started from it.
 *
 * @returns told of each event, with its time in milliseconds since the machine's start (the same as in the log's timing).
 * Messages on the control channel of a machine made ahead are older than its start: their times are below 0.
 */
export type MachineObserver = (machine: ObservedMachine) => (event: MachineEvent, timeMs: number) => void
