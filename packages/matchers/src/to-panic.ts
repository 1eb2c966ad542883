import { type ExitStatus, type Incident } from '@coldboot/core'
import { describeExit, formatDuration } from '@coldboot/core/internal'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import { incidentSections } from './incident-sections.ts'
import { TIME_UP, within } from './machine-wait.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { checkOptionNames } from './option-names.ts'
import { checkText, matchesText, type Text } from './text-pattern.ts'
import { cutNote, type WaitWindow, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toPanic`. */
export interface PanicOptions extends WindowOptions {
  /** Text or pattern in the line of the panic, or in the lines after it. @default any panic */
  readonly message?: Text | undefined
}

/**
 * Waits for a panic of the guest's kernel or a crash of its init, also if `failOn` allows it; with `.not`, checks that
 * there is none in the whole window.
 */
export function toPanic(this: MatcherContext, received: unknown, options: PanicOptions = {}): Promise<MatcherResult> {
  return awaitedMatcher(this, 'toPanic', received, [options], (vm) => judge(this, vm, options))
}

async function judge(context: MatcherContext, vm: MatcherVM, options: PanicOptions): Promise<Verdict> {
  checkOptionNames('toPanic', options, ['message', 'timeout'])
  checkText('toPanic', 'message', options.message)
  const window = waitWindow(context, vm, options.timeout)
  const { promise: panicked, resolve } = Promise.withResolvers<Incident>()
  using _listener = vm.onIncident((incident) => {
    if (isPanic(incident)) resolve(incident)
  })
  const known = vm.incidents.find(isPanic)
  // Events of the console come before the end of the machine.
  const end = known ?? (await within(vm, window, Promise.race([panicked, vm.ended])))
  if (end === TIME_UP) return { pass: false, report: () => noPanic(vm, window) }
  if ('exitCode' in end) return { pass: false, report: () => endedWithout(vm, end) }
  return verdictOf(vm, end, options)
}

const isPanic = ({ code }: Incident): boolean => code === 'GUEST_PANICKED'

function verdictOf(vm: MatcherVM, incident: Incident, { message }: PanicOptions): Verdict {
  const { message: said, excerpt } = incident
  if (message === undefined || matchesText(message, `${said}\n${excerpt}`)) {
    const hint = 'Read the output of the panic and the console before it.'
    return {
      pass: true,
      report: () => ({ what: `"${vm.name}" panicked: ${said}`, hint, sections: incidentSections(vm, incident) }),
    }
  }
  const what = `"${vm.name}" panicked, but with another message than expected`
  const hint = 'The message is searched in the line of the panic and in the lines after it.'
  return { pass: false, report: () => ({ what, hint }), expected: message, actual: said }
}

function noPanic(vm: MatcherVM, window: WaitWindow): Report {
  const waited = formatDuration(window.granted * vm.spec.timeoutMultiplier)
  const other = otherIncidents(vm)
  const hint = other === undefined ? 'It still runs, and no failure of the guest was detected.' : other
  return { what: `${cutNote(window, vm)}"${vm.name}" did not panic within ${waited}`, hint }
}

function endedWithout(vm: MatcherVM, end: ExitStatus): Report {
  const hint =
    otherIncidents(vm) ?? 'If the kernel does not print to this console, add a `pvpanic()` device to detect its panic.'
  return { what: `"${vm.name}" ended without a panic: ${describeExit(end)}`, hint }
}

function otherIncidents(vm: MatcherVM): string | undefined {
  const [first] = vm.incidents
  return first && `It failed in another way: ${first.message || first.failure}.`
}
