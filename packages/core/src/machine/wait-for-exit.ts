/** Waits until a machine ends by itself. */
import { guestSections } from '../console/failure/guest-sections.ts'
import { lastLines } from '../console/failure/last-lines.ts'
import { shortCommandLine } from '../console/failure/short-command-line.ts'
import type { Incident } from '../console/incident/incident.ts'
import { ExpectError, GuestError, MachineError } from '../errors.ts'
import { anySignal } from '../host/any-signal.ts'
import { LONGEST_TIMER } from '../host/clock.ts'
import { unlessAborted } from '../host/unless-aborted.ts'
import { type CheckTable, checkTable, isDuration, isSignal } from '../options/checked-options.ts'
import type { ExitStatus } from '../qemu/exit-status.ts'
import { requirePower } from './power/power-actions.ts'
import type { RunningMachine } from './running-machine.ts'

/** Options of `VM.waitForExit`. */
export interface WaitForExitOptions {
  /** Longest wait, milliseconds. Multiplied by `timeoutMultiplier`. @default none */
  readonly timeout?: number
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal
}

const CHECKS: CheckTable<Required<WaitForExitOptions>> = { timeout: isDuration, signal: isSignal }

/** See `VM.waitForExit`. @param ended the end of the VM, which a revert does not settle */
export async function waitForExit(
  running: RunningMachine,
  ended: Promise<ExitStatus>,
  options: WaitForExitOptions,
): Promise<ExitStatus> {
  checkTable('waitForExit', options, CHECKS)
  if (running.isReplaced) requirePower(running)
  const { spec, failed } = running
  const { timeout } = options
  const limit = timeout === undefined ? undefined : timeLimit(timeout * spec.timeoutMultiplier)
  const signal = anySignal(limit, options.signal, spec.signal)
  const end = Promise.race([
    ended,
    failed.then((incident) => Promise.reject(guestError(running, incident))),
    running.ended.then((status) => whenReplaced(running, status)),
  ])
  return signal ? unlessAborted(end, signal, (reason) => waitError(running, reason)) : end
}

/** Rejects when a revert or a power cut has ended this QEMU, otherwise never settles: `ended` resolves. */
function whenReplaced(running: RunningMachine, status: ExitStatus): Promise<never> {
  if (!running.isReplaced) return new Promise(() => {})
  const message = `Machine "${running.spec.name}" was replaced during \`waitForExit()\`: ${running.endedBecause(status)}`
  return Promise.reject(new MachineError('MACHINE_EXITED', message, { sections: machineSections(running) }))
}

function guestError(running: RunningMachine, incident: Incident): GuestError {
  const message = `Machine "${running.spec.name}" failed during \`waitForExit()\`: ${incident.message}`
  return new GuestError(incident.code, message, {
    sections: { ...guestSections(incident.excerpt), ...machineSections(running) },
  })
}

function waitError(running: RunningMachine, reason: unknown): ExpectError {
  const timedOut = reason instanceof DOMException && reason.name === 'TimeoutError'
  const why = running.isPaused ? ': its CPUs are paused' : ''
  const message = (timedOut ? 'did not end in time' : 'had not ended when the wait was aborted') + why
  return new ExpectError(timedOut ? 'EXPECT_TIMEOUT' : 'EXPECT_ABORTED', `Machine "${running.spec.name}" ${message}`, {
    cause: reason,
    hint: 'Shut the guest down before `waitForExit()`, or use `close()`, which ends the machine.',
    sections: { 'End of the console': lastLines(running.console.text()), ...machineSections(running) },
  })
}

function machineSections({ description, keptLog }: RunningMachine): Readonly<Record<string, string | undefined>> {
  return { 'Command line': shortCommandLine(description.commandLine), Log: keptLog }
}

function timeLimit(milliseconds: number): AbortSignal {
  return AbortSignal.timeout(Math.ceil(Math.min(milliseconds, LONGEST_TIMER)))
}
