import { types } from 'node:util'
import { ColdbootError, OptionError } from '@coldboot/core'
import { now } from '@coldboot/core/internal'
import { awaitedMatcher, type Verdict } from '../awaited-matcher.ts'
import { formatValue } from '../format-call.ts'
import type { MatcherContext, MatcherResult } from '../matcher-context.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { checkOptionNames } from '../option-names.ts'
import { equalsText, isText } from '../text-pattern.ts'
import { type WaitWindow, type WindowOptions, waitWindow } from '../wait-window.ts'
import { hasIt, hasNot } from './file-report.ts'
import { changesFrom, type FileContent, type Found, type LookOptions, lookAt, sumOf } from './guest-file.ts'

/** Options of `toHaveFile`. */
export interface HaveFileOptions extends WindowOptions, Pick<LookOptions, 'via' | 'signal'> {
  /** How long to wait for the file, milliseconds, before the machine's multiplier. @default the file is checked once */
  readonly timeout?: number | undefined
}

/** Checks that a file exists in the guest, and its content. Waits for both if `timeout` is given. */
export function toHaveFile(
  this: MatcherContext,
  received: unknown,
  path: string,
  content?: FileContent,
  options: HaveFileOptions = {},
): Promise<MatcherResult> {
  const args = [path, content, options]
  return awaitedMatcher(this, 'toHaveFile', received, args, (vm) => judge(this, vm, path, content, options))
}

async function judge(
  context: MatcherContext,
  vm: MatcherVM,
  path: string,
  content: FileContent | undefined,
  options: HaveFileOptions,
): Promise<Verdict> {
  checkArguments(path, content, options)
  const { timeout, ...rest } = options
  const waits = timeout !== undefined
  // A single check needs no window, not even with `.not`.
  const plain: MatcherContext = { utils: context.utils, task: context.task }
  const window = waitWindow(waits ? context : plain, vm, timeout)
  try {
    const found = await lookWithin(vm, path, content, waits, window, rest)
    if (isIt(found, content)) return { pass: true, report: () => hasIt(vm, path, content) }
    return { pass: false, ...hasNot(vm, path, content, found, waits ? window : undefined) }
  } catch (error) {
    // With `.not`, a failed command does not prove that the file is missing.
    if (context.isNot || !ColdbootError.is(error) || !isOfGuest(error)) throw error
    return { pass: false, report: () => error.message }
  }
}

/** Checks until the file is as expected, or the time is up. @returns the last state */
async function lookWithin(
  vm: MatcherVM,
  path: string,
  content: FileContent | undefined,
  waits: boolean,
  window: WaitWindow,
  options: LookOptions,
): Promise<Found> {
  const end = now() + window.granted * vm.spec.timeoutMultiplier
  const left = (): number => (end - now()) / vm.spec.timeoutMultiplier
  const look = (): Promise<Found> => {
    return lookAt(vm, path, content !== undefined, { ...options, timeout: waits ? vm.spec.timeoutMs : window.granted })
  }
  let found = await look()
  while (waits && !isIt(found, content) && left() > 0) {
    // The checksum comes first, so that a change between it and the check ends the wait at once.
    const sum = await sumOf(vm, path, options)
    found = await look()
    if (isIt(found, content) || left() <= 0) break
    if (!(await changesFrom(vm, path, sum, { ...options, timeout: Math.max(left(), 1) }))) break
    found = await look()
  }
  return found
}

function isIt(found: Found, content: FileContent | undefined): boolean {
  if (found.kind !== 'file') return false
  if (content === undefined || found.bytes === undefined) return true
  const bytes = Buffer.from(found.bytes)
  return isText(content) ? equalsText(content, bytes.toString()) : bytes.equals(content)
}

/** Whether the error is about the guest, not about a bad call or the end of the test. */
function isOfGuest(error: ColdbootError): boolean {
  if (ColdbootError.is(error.cause) && error.cause.code === 'TEST_ENDED') return false
  return /^(?:COMMAND_|GUEST_|SHELL_|AGENT_)/.test(error.code)
}

function checkArguments(path: unknown, content: unknown, options: HaveFileOptions): void {
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0')) {
    const what = `toHaveFile: \`path\` must be an absolute path, and is ${formatValue(path)}`
    throw new OptionError('INVALID_OPTION', what)
  }
  if (content !== undefined && !isText(content) && !types.isUint8Array(content)) {
    const what = `toHaveFile: \`content\` must be a string, a regular expression or bytes, and is ${formatValue(content)}`
    const hint = 'Options are the third argument: `toHaveFile(path, undefined, { timeout })`.'
    throw new OptionError('INVALID_OPTION', what, { hint })
  }
  checkOptionNames('toHaveFile', options, ['timeout', 'via', 'signal'])
}
