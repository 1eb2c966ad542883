import { type ExitReason, type ExitStatus, GuestError, type Incident, OptionError } from '@coldboot/core'
import { describeExit, EXIT_REASONS, formatDuration, machineSections } from '@coldboot/core/internal'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import { formatValue } from './format-call.ts'
import { incidentSections } from './incident-sections.ts'
import { TIME_UP, within } from './machine-wait.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { checkOptionNames } from './option-names.ts'
import { cutNote, type WaitWindow, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toExit`. Properties that are not given are not compared. */
export interface ExitOptions extends WindowOptions {
  /** Exit code of QEMU. It is 0 for every end of the guest, unless a device sets it (`isa-debug-exit`). */
  readonly code?: number | undefined
  /** Reason of the end. If given, an end by a panic counts like any other. */
  readonly reason?: ExitReason | undefined
}

/** Waits until the machine ends; with `.not`, checks that it does not end as described in the whole window. */
export function toExit(this: MatcherContext, received: unknown, options: ExitOptions = {}): Promise<MatcherResult> {
  return awaitedMatcher(this, 'toExit', received, [options], (vm) => judge(this, vm, options))
}

/** Printed by a kernel that stays halted after a panic, but not by one that resets the machine (kernel/panic.c). */
const STAYS = '---[ end Kernel panic'

async function judge(context: MatcherContext, vm: MatcherVM, options: ExitOptions): Promise<Verdict> {
  checkOptions(options)
  if (vm.state === 'off') return { pass: false, report: () => isOff(vm) }
  const window = waitWindow(context, vm, options.timeout)
  const { promise: stuck, resolve } = Promise.withResolvers<Incident>()
  using _listener = vm.onIncident((incident) => {
    if (isFatal(incident)) resolve(incident)
  })
  const known = vm.incidents.find(isFatal)
  if (known !== undefined && vm.state !== 'exited') resolve(known)
  const end = await within(vm, window, Promise.race([vm.ended, stuck]))
  if (end === TIME_UP) return { pass: false, report: () => stillRuns(vm, window) }
  if ('failure' in end) return failedVerdict(context, vm, end)
  return verdictOf(context, vm, end, options)
}

function verdictOf(context: MatcherContext, vm: MatcherVM, end: ExitStatus, options: ExitOptions): Verdict {
  const expected = pick({ code: options.code, reason: options.reason })
  const actual = pick({
    code: options.code === undefined ? undefined : (end.exitCode ?? end.signal),
    reason: options.reason === undefined ? undefined : end.reason,
  })
  const same = Object.entries(expected).every(([key, value]) => Reflect.get(actual, key) === value)
  const incident = vm.incidents.find(({ allowed }) => !allowed)
  if (same && incident !== undefined && options.reason === undefined) {
    return failedVerdict(context, vm, incident, end)
  }
  if (same)
    return { pass: true, report: () => ({ what: `"${vm.name}" ended: ${describeExit(end)}`, hint: ENDED_HINT }) }
  const what = `"${vm.name}" ended, but not as expected: ${describeExit(end)}`
  return { pass: false, report: () => ({ what, hint: otherHint(end, options) }), expected, actual }
}

const ENDED_HINT = 'The machine must keep running for the whole `timeout`. Read the end of its console for the reason.'

function otherHint(end: ExitStatus, { code }: ExitOptions): string {
  if (code !== undefined && code !== end.exitCode && end.exitCode === 0) {
    return 'QEMU exits with 0 for every end of the guest. A guest sets the code with the device isa-debug-exit: the exit code is twice the written value, plus 1.'
  }
  return end.stderr === '' ? 'Read the end of its console for the reason.' : `QEMU printed: ${end.stderr.trim()}`
}

/** Whether the machine stays in this failure without ending. */
function isFatal({ allowed, code, excerpt }: Incident): boolean {
  return !allowed && (code !== 'GUEST_PANICKED' || excerpt.includes(STAYS))
}

function failedVerdict(context: MatcherContext, vm: MatcherVM, incident: Incident, end?: ExitStatus): Verdict {
  if (!context.isNot) return { pass: false, report: () => failed(vm, incident, end) }
  // With `.not` a failed machine must not pass, although it may not have ended.
  const { what, hint, sections } = failed(vm, incident, end)
  throw new GuestError(incident.code, what, { hint, sections: { ...machineSections(vm), ...sections } })
}

/** The report of a failed guest. @param end how the machine ended afterwards; undefined if it did not end */
function failed(vm: MatcherVM, incident: Incident, end?: ExitStatus): Report {
  const panicked = incident.code === 'GUEST_PANICKED'
  const what = `"${vm.name}" ${panicked ? 'panicked' : 'failed'}: ${incident.message}`
  const then = end === undefined ? (panicked ? 'The machine did not end.' : '') : `It then ended: ${describeExit(end)}.`
  return { what: `${what}\n${then}`.trim(), hint: failedHint(panicked, end), sections: incidentSections(vm, incident) }
}

function failedHint(panicked: boolean, end: ExitStatus | undefined): string {
  if (!panicked) return 'If the test expects this failure, allow it with the option `failOn` of the machine.'
  const wanted = 'If the test expects the panic, wait for it with `toPanic()`'
  if (end === undefined) return `${wanted}. With \`panic=-1\` in \`kernelArgs\`, a panic ends the machine.`
  return `${wanted}, and for the end after it with \`toExit({ reason: '${end.reason}' })\`.`
}

function isOff(vm: MatcherVM): Report {
  const hint = 'A power cut is not an end of the machine. Call `powerOn()` to boot it again.'
  return { what: `"${vm.name}" did not end: the test has cut its power`, hint }
}

function stillRuns(vm: MatcherVM, window: WaitWindow): Report {
  const waited = formatDuration(window.granted * vm.spec.timeoutMultiplier)
  if (vm.isPaused) {
    const hint = 'Call `unpause()` before the wait.'
    return { what: `${cutNote(window, vm)}"${vm.name}" did not end within ${waited}: its CPUs are paused`, hint }
  }
  const hint =
    'The guest must end the machine, for example with `poweroff -f`. A kernel without ACPI halts instead of powering off. After `powerButton()`, a program in the guest must react, such as systemd-logind or acpid.'
  return { what: `${cutNote(window, vm)}"${vm.name}" did not end within ${waited}`, hint }
}

function checkOptions(options: ExitOptions): void {
  checkOptionNames('toExit', options, ['code', 'reason', 'timeout'])
  const { code, reason } = options
  if (code !== undefined && !Number.isInteger(code)) {
    throw new OptionError('INVALID_OPTION', `toExit: \`code\` must be a whole number, and is ${String(code)}`)
  }
  if (reason !== undefined && !EXIT_REASONS.includes(reason)) {
    throw new OptionError('INVALID_OPTION', `toExit: \`reason\` cannot be ${formatValue(reason)}`, {
      hint: `The reasons are ${EXIT_REASONS.join(', ')}.`,
    })
  }
}

function pick<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}
