/** Stops a running machine while its state is read. */

import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { ColdbootError, MachineError } from '../../errors.ts'
import { cleanUp } from '../../host/machines/clean-up.ts'
import { sendState } from '../../qemu/migration.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'
import { deviceFiles } from '../device-files.ts'
import {
  attachScript,
  detachScript,
  runAgentScript,
  type ScriptRunner,
  withDetachedDevices,
} from '../restore-attachment.ts'
import type { RunningMachine } from '../running-machine.ts'
import type { MemoryOrigin } from './state/state-file.ts'

/** Access to the state of a stopped machine. */
export interface StoppedMachine {
  /**
   * Makes QEMU send memory and device state to `receive`. Rejects with the error of `receive`.
   * @throws MachineError `MACHINE_UNSAVABLE` with QEMU's reason
   */
  readonly send: (receive: (stream: Readable) => Promise<void>) => Promise<void>
  /** Reads the state outside of QEMU. Called after {@link send}. */
  readonly rest: () => Promise<StoppedRest>
}

/** State of a stopped machine outside of QEMU. */
export interface StoppedRest {
  /** Console output so far. */
  readonly console: Buffer
  /** Paths of the files of the devices: disk overlays, images, firmware variables. */
  readonly files: readonly string[]
}

/** Options of {@link whileStopped}. */
export interface StopRequest {
  /** Whether the machine is resumed afterwards if it was running. */
  readonly goOn: boolean
  /**
   * Whether the machine may run while its memory is sent for the first time. Pages that change meanwhile are sent
   * again. A machine whose devices are detached for the save is stopped before. @default false
   */
  readonly isLive?: boolean
}

/** Answer to `query-status`. */
interface QemuStatus {
  readonly running: boolean
  /** QEMU's run state, such as `paused`; `postmigrate` after the state of a stopped machine was sent. */
  readonly status: string
}

/** The guest of the machine. */
export interface StoppedGuest extends ScriptRunner {
  resync(): Promise<void>
}

/**
 * Stops a machine, passes its state to `take`, and resumes it if it was running.
 *
 * @throws MachineError `MACHINE_UNSAVABLE` for a machine with a device that cannot be saved, `MACHINE_EXITED`,
 * `ATTACH_FAILED`; any error of `take`
 */
export function whileStopped<T>(
  running: RunningMachine,
  guest: StoppedGuest,
  request: StopRequest,
  take: (machine: StoppedMachine) => Promise<T>,
): Promise<T> {
  return running.turns.run(() => stopped(running, guest, request, take))
}

async function stopped<T>(
  running: RunningMachine,
  guest: StoppedGuest,
  { goOn, isLive = false }: StopRequest,
  take: (machine: StoppedMachine) => Promise<T>,
): Promise<T> {
  const { machine, spec } = running
  requireSavable(spec)
  const { qmp } = machine
  const detached = withDetachedDevices(spec)
  const { running: ran, status } = (await qmp.execute('query-status')) as QemuStatus
  const detach = ran ? detachScript(detached) : ''
  await runAgentScript(guest, detach)
  const isRunning = isLive && ran && detach === ''
  const result = untilGone(running, async () => {
    // QEMU sends the state of a stopped machine only once. In between, the guest runs for less than a millisecond.
    if (status === 'postmigrate') await Promise.all([qmp.execute('cont'), qmp.execute('stop')])
    if (!isRunning) await qmp.execute('stop')
    return take(stoppedMachine(running, isRunning))
  })
  // The error of the save has the reason, for example of a full disk, also if the machine cannot be resumed then.
  await cleanUp(
    () => result,
    async () => {
      if (!goOn) running.isPaused = true
      if (!goOn || !ran || machine.gone) return
      await qmp.execute('cont')
      if (canBeAsked(running)) await guest.resync()
      await runAgentScript(guest, attachScript(detached))
    },
  )
  return result
}

/** The memory with which a machine was started, for comparison; empty if it is not known. */
export function memoryOrigin({ plan }: RunningMachine): MemoryOrigin {
  const layers = plan.restore?.layers ?? []
  // A whole state is stored as QEMU sent it, so the positions of its pages are not known.
  const isKnown = layers.every(({ isWhole }) => !isWhole)
  const base = plan.memory?.shared === false ? plan.memory.path : undefined
  return isKnown ? { base, layers } : { base: undefined, layers: [] }
}

/** Whether the guest has booted far enough for its agent to answer. */
function canBeAsked({ spec, console }: RunningMachine): boolean {
  return spec.ready === undefined || console.hasPrinted(spec.ready) !== undefined
}

function stoppedMachine({ machine, console, directory, spec }: RunningMachine, isRunning: boolean): StoppedMachine {
  return {
    send: (receive) =>
      sendState(machine.qmp, directory, { memory: 'in-stream', receive, isRunning }).catch((error: unknown) => {
        throw isRefusal(error) ? unsavable(spec.name, error.shortMessage, error) : error
      }),
    async rest() {
      // Lets Node read console output that arrived before the last answer of QEMU.
      await turn()
      return { console: Buffer.from(console.raw()), files: await deviceFiles(directory) }
    },
  }
}

/** Rejects devices that cannot be saved. @throws MachineError `MACHINE_UNSAVABLE` */
function requireSavable({ name, devices }: MachineSpec): void {
  const found = devices.find(({ unsavable: reason }) => reason !== undefined)
  if (found) throw unsavable(name, `its ${found.name} ${found.unsavable}`)
}

/** Error of a machine that cannot be saved. */
export class UnsavableError extends MachineError {
  /** The reason, as the end of a sentence. */
  readonly why: string

  constructor(name: string, why: string, cause: unknown) {
    super('MACHINE_UNSAVABLE', `Machine "${name}" cannot be saved: ${why}`, { cause })
    this.why = why
  }
}

/** Creates the error. @param why the reason, as the end of a sentence */
export function unsavable(name: string, why: string, cause?: unknown): UnsavableError {
  return new UnsavableError(name, why, cause)
}

function isRefusal(error: unknown): error is ColdbootError {
  return ColdbootError.is(error) && error.code === 'QMP_FAILED' && error.constructor === MachineError
}

async function untilGone<T>({ ended, spec }: RunningMachine, work: () => Promise<T>): Promise<T> {
  const exited = ended.then(() => {
    throw new MachineError('MACHINE_EXITED', `Machine "${spec.name}" ended while it was saved`)
  })
  exited.catch(() => {})
  // The stream of QMP ends before the process.
  const result = work().catch((error: unknown) => {
    if (ColdbootError.is(error) && error.code === 'MACHINE_EXITED') return exited
    throw error
  })
  return Promise.race([result, exited])
}
