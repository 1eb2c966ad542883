/**
 * Dumps the memory of a guest whose kernel panics, for the option `vmcore`.
 *
 * Without `allowReboot`, a kernel that restarts after its panic ends QEMU. Therefore QEMU is set to pause instead of
 * ending, until the dump is complete. With `allowReboot`, the memory would be lost at the reboot. QEMU then pauses at
 * the panic itself, which needs a `pvpanic()` device.
 */
import { setImmediate as turn } from 'node:timers/promises'
import type { QmpEvent } from '../../devices/device.ts'
import { messageOf } from '../../errors.ts'
import { now } from '../../host/clock.ts'
import type { VmcoreFile } from '../../spec/vmcore-file.ts'
import type { RunningMachine } from '../running-machine.ts'
import { dumpMemory } from './dump-memory.ts'

/** Length of the end of the output that is searched for a panic, characters. */
const TAIL = 2 ** 16

/** Watches a machine for panics. Sets {@link RunningMachine.dump} when a dump starts. */
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
    if (event === 'GUEST_PANICKED' && data['action'] === 'pause') {
      // A close waits for the answer, because a command that QEMU has not read at its end could hide its last event.
      running.dump = dump()
        .then(() => qmp.execute('cont'))
        .then(ignore, ignore)
    }
  })
  running.onIncident(({ code }) => {
    // If the guest has ended, the SHUTDOWN event above starts the dump.
    if (code === 'GUEST_PANICKED' && !running.isOver) void dump()
  })
  await qmp.execute('set-action', spec.allowReboot ? { panic: 'pause' } : { shutdown: 'pause' })
}

async function endAfterDump(
  running: RunningMachine,
  { guest, reason }: QmpEvent['data'],
  dump: () => Promise<void>,
): Promise<void> {
  // An end that this process has requested needs no dump.
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
  // Node may read the event before console output that QEMU has sent earlier.
  for (let turns = 0; turns < 3; turns++) await turn()
  return running.console.text().slice(-TAIL).includes('Kernel panic - not syncing')
}

/** Dumps the memory and reports the result to the observer. Never rejects. */
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
