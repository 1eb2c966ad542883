/**
 * The errors of a failed attempt as the runner reports them: plain objects by now, which it sends to its reporters
 * afterwards. What is changed here is what every reporter shows.
 */
import { fileURLToPath } from 'node:url'
import { ERROR_CODES, layoutSections, machineSections, type ShownMachine } from '@coldboot/core/internal'

/** The parts of a reported error that are looked at. */
export interface ReportedError {
  message: string
  stack?: string | undefined
  diff?: string | undefined
  cause?: unknown
  readonly code?: unknown
  shortMessage?: unknown
  hint?: unknown
  sections?: unknown
}

/**
 * Makes errors readable in a report. Those of this project point at the user’s line instead of our own, and do not
 * repeat what caused them when they have said it.
 *
 * @param definition frames of the test’s definition: what an error without a line of the user’s points at
 */
export function cleanStacks(errors: readonly ReportedError[], definition: string): void {
  for (const error of errors) {
    if (typeof error.code !== 'string' || !(error.code in ERROR_CODES)) continue
    const frames = userFrames(error.stack)
    error.stack = [`${error.message}`, ...(frames.some(isUsers) ? frames : definition.split('\n'))].join('\n')
    if (isTold(error.cause, error.message)) error.cause = undefined
    // Reporters for machines print all that an error has, and these are parts of its message.
    delete error.shortMessage
    delete error.hint
    delete error.sections
  }
}

/** Adds what the machines printed to the last error, unless an error tells it already: those of this project do. */
export function explainErrors(errors: readonly ReportedError[], machines: readonly ShownMachine[]): void {
  const last = errors.at(-1)
  if (!last) return
  const isShown = (vm: ShownMachine): boolean =>
    errors.some(({ message }) => message.includes(vm.keptLog ?? vm.commandLineQuoted))
  const untold = machines.filter((vm) => !isShown(vm))
  const text = layoutSections(sectionsOf(untold, machines.length > 1))
  // Below the difference, where there is one: it belongs to the message.
  if (last.diff) last.diff += text
  else last.message += text
  for (const error of errors) spaceOut(error)
}

/** Keeps the last section apart from the stack, which reporters print right below the message. */
export function spaceOut(error: ReportedError): void {
  if (!error.diff && error.message.includes('\n\n')) error.message += '\n'
}

/** The sections of several machines, named when one would not know which is which. */
export function sectionsOf(machines: readonly ShownMachine[], named: boolean): Readonly<Record<string, string>> {
  return Object.assign({}, ...machines.map((vm) => machineSections(vm, named)))
}

/** The frames of a stack, one each. */
export function framesOf(stack: string | undefined): readonly string[] {
  return (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
}

/** The frames of a stack that are not this project’s own, one each. */
export function userFrames(stack: string | undefined): readonly string[] {
  return framesOf(stack).filter((frame) => !isOurs(frame))
}

/** `file:line:column` of a stack’s first frame that is the user’s. */
export function placeOf(stack: string | undefined): string | undefined {
  const frame = userFrames(stack).find(isUsers) ?? ''
  return /((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(frame)?.[1]?.replace(/^file:\/\//, '')
}

/** The folder that holds this package and its siblings. */
const PACKAGES = fileURLToPath(new URL('../..', import.meta.url))
const OUR_FILE = /^[^/]+\/(?:src|dist)\/(?!.*\.test\.\w+:)/

function isOurs(frame: string): boolean {
  const start = frame.indexOf(PACKAGES)
  return start >= 0 && OUR_FILE.test(frame.slice(start + PACKAGES.length))
}

function isUsers(frame: string): boolean {
  // `at async Promise.all (index 0)` is nowhere.
  return /:\d+:\d+\)?$/.test(frame) && !/node:|[/\\]node_modules[/\\]/.test(frame)
}

function isTold(cause: unknown, message: string): boolean {
  if (typeof cause !== 'object' || cause === null) return false
  const told = 'shortMessage' in cause ? cause.shortMessage : 'message' in cause ? cause.message : undefined
  return typeof told === 'string' && told !== '' && message.includes(told)
}
