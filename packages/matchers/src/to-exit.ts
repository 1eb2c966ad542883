import { type ExitReason, type ExitStatus, GuestError, type Incident, OptionError } from '@coldboot/core'
import { describeExit, machineSections } from '@coldboot/core/internal'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import { incidentSections } from './incident-sections.ts'
import { TIME_UP, within } from './machine-wait.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { checkOptionNames } from './option-names.ts'
import { cutNote, seconds, type WaitWindow, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toExit`: what is not given is not compared. */
export interface ExitOptions extends WindowOptions {
  /** QEMU’s exit code. It is 0 however the guest ended, unless a device sets it (`isa-debug-exit`). */
  readonly code?: number | undefined
  /** Why it ended. With it, an end by a panic counts like any other. */
  readonly reason?: ExitReason | undefined
}

/** Waits for the machine’s end by itself; with `.not`, waits the whole window for it not to end, or not so. */
export function toExit(this: MatcherContext, received: unknown, options: ExitOptions = {}): Promise<MatcherResult> {
  return awaitedMatcher(this, 'toExit', received, [options], (vm) => judge(this, vm, options))
}

/** A kernel that panics prints this when it will stay as it is; one that will reset does not (kernel/panic.c). */
const STAYS = '---[ end Kernel panic'

async function judge(context: MatcherContext, vm: MatcherVM, options: ExitOptions): Promise<Verdict> {
  checkOptions(options)
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

const ENDED_HINT = 'It was to keep running for the whole window. Read the end of its console for the reason.'

function otherHint(end: ExitStatus, { code }: ExitOptions): string {
  if (code !== undefined && code !== end.exitCode && end.exitCode === 0) {
    return 'QEMU exits with 0 however the guest ends. A guest chooses the code through the device isa-debug-exit: what it writes there, doubled, plus 1.'
  }
  return end.stderr === '' ? 'Read the end of its console for the reason.' : `QEMU printed: ${end.stderr.trim()}`
}

/** What a machine does not come back from, as long as it has not ended by that. */
function isFatal({ allowed, code, excerpt }: Incident): boolean {
  return !allowed && (code !== 'GUEST_PANICKED' || excerpt.includes(STAYS))
}

function failedVerdict(context: MatcherContext, vm: MatcherVM, incident: Incident, end?: ExitStatus): Verdict {
  if (!context.isNot) return { pass: false, report: () => failed(vm, incident, end) }
  // It has not kept running, though it may not have ended.
  const { what, hint, sections } = failed(vm, incident, end)
  throw new GuestError(incident.code, what, { hint, sections: { ...machineSections(vm), ...sections } })
}

/** @param end how it ended after that; undefined: not at all */
function failed(vm: MatcherVM, incident: Incident, end?: ExitStatus): Report {
  const panicked = incident.code === 'GUEST_PANICKED'
  const what = `"${vm.name}" ${panicked ? 'panicked' : 'failed'}: ${incident.message}`
  const then = end === undefined ? (panicked ? 'It stays as it is.' : '') : `It then ended: ${describeExit(end)}.`
  return { what: `${what}\n${then}`.trim(), hint: failedHint(panicked, end), sections: incidentSections(vm, incident) }
}

function failedHint(panicked: boolean, end: ExitStatus | undefined): string {
  if (!panicked) return 'What the test wants the guest to do is allowed with the option `failOn` of the machine.'
  const wanted = 'A panic that the test wants is awaited with `toPanic()`'
  if (end === undefined) return `${wanted}. A kernel ends its machine by a panic with \`panic=-1\` in \`kernelArgs\`.`
  return `${wanted}, and the end that follows with \`toExit({ reason: '${end.reason}' })\`.`
}

function stillRuns(vm: MatcherVM, window: WaitWindow): Report {
  const waited = seconds(window.granted * vm.spec.timeoutMultiplier)
  const hint =
    'Something in the guest must end it, as `poweroff -f` does. A kernel without ACPI halts instead of powering off.'
  return { what: `${cutNote(window, vm)}"${vm.name}" did not end within ${waited}`, hint }
}

function checkOptions(options: ExitOptions): void {
  checkOptionNames('toExit', options, ['code', 'reason', 'timeout'])
  const { code, reason } = options
  if (code !== undefined && !Number.isInteger(code)) {
    throw new OptionError('INVALID_OPTION', `toExit: \`code\` must be a whole number, and is ${String(code)}`)
  }
  if (reason !== undefined && typeof reason !== 'string') {
    throw new OptionError('INVALID_OPTION', `toExit: \`reason\` must be a string, and is ${String(reason)}`)
  }
}

function pick<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as Partial<T>
}
