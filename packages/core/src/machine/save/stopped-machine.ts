/** A running machine, stopped for a moment so that its state can be read. */

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { ColdbootError, MachineError } from '../../errors.ts'
import { sendState } from '../../qemu/migration.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'
import {
  attachScript,
  detachScript,
  runAgentScript,
  type ScriptRunner,
  withDetachedDevices,
} from '../restore-attachment.ts'
import type { RunningMachine } from '../running-machine.ts'

/** What can be read of a machine that is stopped. */
export interface StoppedMachine {
  /** What its console has printed. */
  readonly console: Buffer
  /** Paths of the files that its devices have made: disk overlays, images, variables of the firmware. */
  readonly files: readonly string[]
  /**
   * Has QEMU send memory and devices. When `receive` rejects, that is the error.
   * @throws MachineError `MACHINE_UNSAVABLE` with QEMU's reason
   */
  readonly send: (receive: (stream: Readable) => Promise<void>) => Promise<void>
}

/** The inside of the machine. */
export interface StoppedGuest extends ScriptRunner {
  resync(): Promise<void>
}

/**
 * Stops a machine, hands it to `take`, and lets it go on if it ran.
 *
 * @param goOn whether it goes on
 * @throws MachineError `MACHINE_UNSAVABLE` for a machine with a device that cannot be saved, `MACHINE_EXITED`,
 * `ATTACH_FAILED`; whatever `take` throws
 */
export async function whileStopped<T>(
  running: RunningMachine,
  guest: StoppedGuest,
  goOn: boolean,
  take: (machine: StoppedMachine) => Promise<T>,
): Promise<T> {
  const { machine, spec } = running
  requireSavable(spec)
  const { qmp } = machine
  const detached = withDetachedDevices(spec)
  const { running: ran } = (await qmp.execute('query-status')) as { readonly running: boolean }
  if (ran) await runAgentScript(guest, detachScript(detached))
  await qmp.execute('stop')
  // What QEMU sent to the console before it answered is read before anything else.
  await turn()
  try {
    return await untilGone(running, async () => take(await stoppedMachine(running)))
  } finally {
    if (goOn && ran && !machine.gone) {
      await qmp.execute('cont')
      if (canBeAsked(running)) await guest.resync()
      await runAgentScript(guest, attachScript(detached))
    }
  }
}

/** Whether the guest has booted, so that its agent answers. */
function canBeAsked({ spec, console }: RunningMachine): boolean {
  return spec.ready === undefined || console.hasPrinted(spec.ready) !== undefined
}

async function stoppedMachine({ machine, console, directory, spec }: RunningMachine): Promise<StoppedMachine> {
  // The names of its log; a log elsewhere is no file of its devices either.
  const names = (await readdir(directory)).filter((name) => !name.startsWith('console.log'))
  return {
    console: Buffer.from(console.raw()),
    files: names.map((name) => join(directory, name)),
    send: (receive) =>
      sendState(machine.qmp, directory, { memory: 'in-stream', receive }).catch((error: unknown) => {
        throw isRefusal(error) ? unsavable(spec.name, error.shortMessage, error) : error
      }),
  }
}

/** @throws MachineError `MACHINE_UNSAVABLE` */
function requireSavable({ name, devices }: MachineSpec): void {
  const found = devices.find(({ unsavable: reason }) => reason !== undefined)
  if (found) throw unsavable(name, `its ${found.name} ${found.unsavable}`)
}

/** @param why the end of a sentence */
export function unsavable(name: string, why: string, cause?: unknown): MachineError {
  return new MachineError('MACHINE_UNSAVABLE', `Machine "${name}" cannot be saved: ${why}`, { cause })
}

function isRefusal(error: unknown): error is ColdbootError {
  return ColdbootError.is(error) && error.code === 'QMP_FAILED' && error.constructor === MachineError
}

async function untilGone<T>({ ended, spec }: RunningMachine, work: () => Promise<T>): Promise<T> {
  const exited = ended.then(() => {
    throw new MachineError('MACHINE_EXITED', `Machine "${spec.name}" ended while it was saved`)
  })
  exited.catch(() => {})
  return Promise.race([work(), exited])
}
