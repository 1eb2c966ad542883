/**
 * Edits the errors of a failed attempt before the test runner passes them to its reporters. At this point they are plain
 * objects, and a change appears in every reporter.
 */
import { fileURLToPath } from 'node:url'
import {
  ERROR_CODES,
  layoutSections,
  machineSections,
  type ShownMachine,
  shortCommandLine,
} from '@coldboot/core/internal'

/** The properties of a reported error that this module uses. */
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
 * Makes the errors of this project readable in a report: their stacks start at the user's code, and a cause that the
 * message already includes is dropped.
 *
 * @param definition frames of the test's definition, for errors whose stack has no user code
 */
export function cleanStacks(errors: readonly ReportedError[], definition: string): void {
  for (const error of errors) {
    if (typeof error.code !== 'string' || !(error.code in ERROR_CODES)) continue
    const frames = userFrames(error.stack)
    error.stack = [`${error.message}`, ...(frames.some(isUsers) ? frames : definition.split('\n'))].join('\n')
    if (isRepeated(error.cause, error.message)) error.cause = undefined
    // JSON reporters print all properties of an error. The message already contains these.
    delete error.shortMessage
    delete error.hint
    delete error.sections
  }
}

/** Appends the console output of the VMs to the last error, unless an error already contains it. */
export function explainErrors(errors: readonly ReportedError[], machines: readonly ShownMachine[]): void {
  const last = errors.at(-1)
  if (!last) return
  const isShown = (vm: ShownMachine): boolean =>
    errors.some(({ message }) => message.includes(vm.keptLog ?? shortCommandLine(vm.commandLine)))
  const missing = machines.filter((vm) => !isShown(vm))
  const isNew = ([title, body]: readonly [string, string]): boolean =>
    !errors.some(({ message }) => message.includes(layoutSections({ [title]: body })))
  const sections = Object.entries(sectionsOf(missing, machines.length > 1)).filter(isNew)
  const text = layoutSections(Object.fromEntries(sections))
  // Reporters print the diff after the message.
  if (last.diff) last.diff += text
  else last.message += text
  for (const error of errors) spaceOut(error)
}

/** Adds sections to the last error. */
export function addSections(errors: readonly ReportedError[], sections: Readonly<Record<string, string>>): void {
  const last = errors.at(-1)
  const text = layoutSections(sections)
  if (!last || text === '') return
  if (last.diff) last.diff += text
  else last.message = last.message.replace(/\n+$/, '') + text
  spaceOut(last)
}

/** Adds a blank line between the last section and the stack, which reporters print right after the message. */
export function spaceOut(error: ReportedError): void {
  if (!error.diff && error.message.includes('\n\n')) error.message += '\n'
}

/** The sections of several VMs. @param named whether the titles contain the name of the VM */
export function sectionsOf(machines: readonly ShownMachine[], named: boolean): Readonly<Record<string, string>> {
  return Object.assign({}, ...machines.map((vm) => machineSections(vm, named)))
}

/** The frames of a stack, one line each. */
export function framesOf(stack: string | undefined): readonly string[] {
  return (stack ?? '').split('\n').filter((line) => /^\s+at /.test(line))
}

/** The frames of a stack outside this project, one line each. */
export function userFrames(stack: string | undefined): readonly string[] {
  return framesOf(stack).filter((frame) => !isOurs(frame))
}

/** `file:line:column` of the first stack frame in user code. */
export function placeOf(stack: string | undefined): string | undefined {
  const frame = userFrames(stack).find(isUsers) ?? ''
  return /((?:file:\/\/)?[^\s()]+:\d+:\d+)\)?$/.exec(frame)?.[1]?.replace(/^file:\/\//, '')
}

/** The folder that contains the packages of this project. */
const PACKAGES = fileURLToPath(new URL('../..', import.meta.url))
const OUR_FILE = /^[^/]+\/(?:src|dist|bundle)\/(?!.*\.test\.\w+:)/

function isOurs(frame: string): boolean {
  const start = frame.indexOf(PACKAGES)
  return start >= 0 && OUR_FILE.test(frame.slice(start + PACKAGES.length))
}

function isUsers(frame: string): boolean {
  // `at async Promise.all (index 0)` has no position.
  return /:\d+:\d+\)?$/.test(frame) && !/node:|[/\\]node_modules[/\\]/.test(frame)
}

function isRepeated(cause: unknown, message: string): boolean {
  if (typeof cause !== 'object' || cause === null) return false
  const text = 'shortMessage' in cause ? cause.shortMessage : 'message' in cause ? cause.message : undefined
  return typeof text === 'string' && text !== '' && message.includes(text)
}
