/**
 * Dumps the memory of a guest whose kernel panics, for the option `vmcore`.
 *
 * A kernel that restarts after its panic ends QEMU. So QEMU pauses instead of ending, until the dump is complete. If reboots
 * are allowed, the memory is lost at the reboot: QEMU then pauses at the panic itself, which needs a `pvpanic()` device.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { QmpEvent } from '../../devices/device.ts'
import { messageOf } from '../../errors.ts'
import { now } from '../../host/clock.ts'
import type { VmcoreFile } from '../../spec/vmcore-file.ts'
import type { RunningMachine } from '../running-machine.ts'
import { dumpMemory } from './dump-memory.ts'

/** Of the end of the output, which has the panic if it was the reason for the end. Characters. */
const TAIL = 2 ** 16

/** Watches a machine from now on. Sets {@link RunningMachine.dump} while it dumps. */
export async function dumpAtPanic(running: RunningMachine, file: VmcoreFile): Promise<void> {
  const { machine, spec } = running
  const { qmp } = machine
  let isDumped = false
  const dump = async (): Promise<void> => {
    if (isDumped) return running.dump
    isDumped = true
    running.dump = dumpInto(running, file)
    await running.dump
  }
  qmp.onEvent(({ event, data }) => {
    if (event === 'SHUTDOWN') void endAfterDump(running, data, dump)
    if (event === 'GUEST_PANICKED' && data['action'] === 'pause')
      void dump()
        .then(() => qmp.execute('cont'))
        .catch(ignore)
  })
  running.onIncident(({ code }) => {
    // Otherwise QEMU is paused by the event above.
    if (code === 'GUEST_PANICKED' && !running.isOver) void dump()
  })
  await qmp.execute('set-action', spec.allowReboot ? { panic: 'pause' } : { shutdown: 'pause' })
}

async function endAfterDump(
  running: RunningMachine,
  { guest, reason }: QmpEvent['data'],
  dump: () => Promise<void>,
): Promise<void> {
  // QEMU ends by itself at the request of this process.
  if (guest !== true || running.spec.allowReboot) return
  running.isOver = true
  const ending = hasPanicked(running, reason).then((panicked) => (panicked ? dump() : undefined))
  running.dump = Promise.all([running.dump, ending]).then(ignore)
  await running.dump
  await running.machine.shutDown()
}

async function hasPanicked(running: RunningMachine, reason: unknown): Promise<boolean> {
  if (reason === 'guest-panic') return true
  if (reason !== 'guest-reset') return false
  // The console may be read after the event, which QEMU has sent later.
  for (let turns = 0; turns < 3; turns++) await turn()
  return running.console.text().slice(-TAIL).includes('Kernel panic - not syncing')
}

/** Never rejects. */
async function dumpInto(running: RunningMachine, { path, maxBytes }: VmcoreFile): Promise<void> {
  const begun = now()
  const facts = { kind: 'dump', file: path } as const
  try {
    const bytes = await dumpMemory(running, path, maxBytes === undefined ? {} : { maxBytes })
    running.onEvent?.({ ...facts, bytes, duration: now() - begun })
  } catch (error) {
    running.onEvent?.({ ...facts, problem: messageOf(error), duration: now() - begun })
  }
}

function ignore(): void {}
