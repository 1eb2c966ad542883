/** Connects the observer of a machine with its current QEMU. */

import { messageOf } from '../errors.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import { now } from '../host/clock.ts'
import { warnOnce } from '../host/warnings.ts'
import type { QemuInstance } from '../qemu/qemu-instance.ts'
import type { MachineObserver, ObservedMachine } from '../spec/machine-observer.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import type { MachineDescription } from './description.ts'

/** The data of a machine that its observer receives. */
export interface ObservedRun {
  readonly spec: MachineSpec
  readonly description: MachineDescription
  readonly logFile: string
}

/** The listener of an observer, and the start time of the machine on the clock of `now()`. */
export interface Observation {
  readonly listener: ReturnType<MachineObserver> | undefined
  readonly startedAt: number
}

/** Calls the observer in the options of a machine. */
export function observe(
  { spec, description, logFile }: ObservedRun,
  qemuVersion: string,
  start: ObservedMachine['start'],
): Observation {
  const { observer, name, arch, accelerator, memoryMib, cpus, devices } = spec
  const startedAt = now()
  const { commandLine, commandLineQuoted } = description
  const facts = {
    ...{ name, arch, accelerator, memoryMib, cpus, devices, qemuVersion, start },
    ...{ commandLine, commandLineQuoted, logFile },
  }
  return { listener: observer && guarded(observer)(facts), startedAt }
}

/** @returns a function that passes an event to the observer, with its time; undefined without an observer */
export function connectObserver(
  { listener, startedAt }: Observation,
  { qmp }: QemuInstance,
): ((event: MachineEvent) => void) | undefined {
  qmp.observe(
    listener && (({ direction, message, at }) => listener({ kind: 'qmp', direction, message }, at - startedAt)),
  )
  return listener && ((event) => listener(event, now() - startedAt))
}

/** Wraps an observer so that it is no longer called after it has thrown. */
function guarded(observer: MachineObserver): MachineObserver {
  const failed = (error: unknown): void =>
    warnOnce(`The observer of a machine failed and receives no more events: ${messageOf(error)}`)
  return (machine) => {
    let listener: ReturnType<MachineObserver> | undefined
    try {
      listener = observer(machine)
    } catch (error) {
      failed(error)
    }
    return (event, timeMs) => {
      try {
        listener?.(event, timeMs)
      } catch (error) {
        listener = undefined
        failed(error)
      }
    }
  }
}
