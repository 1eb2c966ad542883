/**
 * Determines how a machine ended. The reason comes from the SHUTDOWN event of QEMU, because the exit code of QEMU is 0
 * even after a panic.
 */
import type { ProcessExit } from './process.ts'
import type { QmpEvent } from './qmp.ts'

/**
 * Why a machine ended. `guest-*` and `host-*` are QEMU's ShutdownCause (qapi/run-state.json); `qemu-failed`: QEMU
 * failed without a reason; `qemu-killed`: a signal ended it; `console-lost`, `qmp-lost`: QEMU was killed, because a
 * connection to it ended while it was running.
 */
export type ExitReason =
  | 'guest-shutdown'
  | 'guest-reset'
  | 'guest-panic'
  | 'subsystem-reset'
  | 'snapshot-load'
  | 'host-error'
  | 'host-qmp-quit'
  | 'host-qmp-system-reset'
  | 'host-signal'
  | 'host-ui'
  | 'none'
  | 'qemu-failed'
  | 'qemu-killed'
  | 'console-lost'
  | 'qmp-lost'

/** The end of a machine. */
export interface ExitStatus {
  readonly reason: ExitReason
  /** Exit code of QEMU; undefined if a signal ended it. */
  readonly exitCode: number | undefined
  readonly signal: NodeJS.Signals | undefined
  /** The last 64 KiB of QEMU's standard error and output, without warnings about its own deprecated arguments. */
  readonly stderr: string
}

/** A warning that QEMU 11 prints at each start. Options of the machine have no influence on it. */
const OWN_WARNING = /^qemu[\w.-]*: -mon .*: warning: '-mon' is deprecated.*\n?/gm

/** A connection to QEMU that was lost. */
export type LostConnection = 'console-lost' | 'qmp-lost'

/** Creates the status. @param cause the SHUTDOWN event, or the connection whose loss ended the machine, if any */
export function exitStatusOf(
  exit: ProcessExit,
  cause: QmpEvent | LostConnection | undefined,
  stderr: string,
): ExitStatus {
  const reported = typeof cause === 'string' ? cause : (cause?.data['reason'] as ExitReason | undefined)
  const reason = reported ?? reasonOf(exit)
  return Object.freeze({ reason, exitCode: exit.code, signal: exit.signal, stderr: stderr.replaceAll(OWN_WARNING, '') })
}

// The power switch of the riscv64 board (hw/misc/sifive_test.c) exits QEMU at once, with code 0 and without an event.
function reasonOf({ code, signal }: ProcessExit): ExitReason {
  // The guard shell of QEMU converts SIGKILL to an exit code.
  if (signal !== undefined || code === KILLED_CODE) return 'qemu-killed'
  return code === 0 ? 'guest-shutdown' : 'qemu-failed'
}

/** Exit code of a shell after SIGKILL. */
const KILLED_CODE = 128 + 9

function isOutright({ reason, signal, exitCode }: ExitStatus): boolean {
  return reason === 'qemu-killed' && (signal === 'SIGKILL' || exitCode === KILLED_CODE)
}

/** Formats an exit as a phrase: `the guest powered off (QEMU exit code 0)`. */
export function describeExit(status: ExitStatus): string {
  const how = status.signal === undefined ? `QEMU exit code ${status.exitCode ?? 'unknown'}` : `signal ${status.signal}`
  return `${REASONS[status.reason]} (${how})${isOutright(status) ? KILLED : ''}`
}

/** Possible cause of SIGKILL, for messages. */
const KILLED =
  ', for example by the kernel when the host or container is out of memory. Reduce `memory`, or run fewer machines at once with `maxMachines` or `memoryBudget`'

const REASONS: Readonly<Record<ExitReason, string>> = {
  'guest-shutdown': 'the guest powered off',
  'guest-reset': 'the guest rebooted, which ends the machine',
  'guest-panic': "the guest's kernel panicked",
  'subsystem-reset': 'a part of the guest was reset',
  'snapshot-load': 'a snapshot was loaded',
  'host-error': 'QEMU had an error on the host',
  'host-qmp-quit': 'the machine was closed',
  'host-qmp-system-reset': 'the machine was reset by the host',
  'host-signal': 'QEMU received a signal to exit',
  'host-ui': "QEMU's window was closed",
  none: 'QEMU gave no reason',
  'qemu-failed': 'QEMU failed',
  'qemu-killed': 'QEMU was killed',
  'console-lost': 'the connection to its console was lost while QEMU was running',
  'qmp-lost': 'the QMP connection was lost while QEMU was running',
}

/** All reasons why a machine can end. */
export const EXIT_REASONS: readonly ExitReason[] = Object.keys(REASONS) as ExitReason[]
