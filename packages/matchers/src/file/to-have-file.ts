import { types } from 'node:util'
import { ColdbootError, OptionError } from '@coldboot/core'
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
  /** How long to wait for it, milliseconds, before the machine’s multiplier. @default it is looked for once */
  readonly timeout?: number | undefined
}

/** Looks whether there is a file in the guest, and what is in it; with `timeout`, waits for that. */
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
  // One look has no window: with `.not` too, it sees what there is.
  const plain: MatcherContext = { utils: context.utils, task: context.task }
  const window = waitWindow(waits ? context : plain, vm, timeout)
  try {
    const found = await lookWithin(vm, path, content, waits, window, rest)
    if (isIt(found, content)) return { pass: true, report: () => hasIt(vm, path, content) }
    return { pass: false, ...hasNot(vm, path, content, found, waits ? window : undefined) }
  } catch (error) {
    // That it could not be looked at does not show that it is not there.
    if (context.isNot || !ColdbootError.is(error) || !isOfGuest(error)) throw error
    return { pass: false, report: () => error.message }
  }
}

/** Looks until it is there, or the time is up. @returns what was found last */
async function lookWithin(
  vm: MatcherVM,
  path: string,
  content: FileContent | undefined,
  waits: boolean,
  window: WaitWindow,
  options: LookOptions,
): Promise<Found> {
  const end = performance.now() + window.granted * vm.spec.timeoutMultiplier
  const left = (): number => (end - performance.now()) / vm.spec.timeoutMultiplier
  const look = (): Promise<Found> => {
    return lookAt(vm, path, content !== undefined, { ...options, timeout: waits ? vm.spec.timeoutMs : window.granted })
  }
  let found = await look()
  while (waits && !isIt(found, content) && left() > 0) {
    // The sum comes first: a change between it and the look is one that is not waited for.
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

/** Whether it tells of the guest and not of a mistake in the call, or of the end of a test. */
function isOfGuest(error: ColdbootError): boolean {
  if (ColdbootError.is(error.cause) && error.cause.code === 'TEST_ENDED') return false
  return /^(?:COMMAND_|GUEST_|SHELL_|AGENT_)/.test(error.code)
}

function checkArguments(path: unknown, content: unknown, options: HaveFileOptions): void {
  if (typeof path !== 'string' || !path.startsWith('/') || path.includes('\0')) {
    const what = `toHaveFile: a path in the guest must be absolute, and this is ${formatValue(path)}`
    throw new OptionError('INVALID_OPTION', what)
  }
  if (content !== undefined && !isText(content) && !types.isUint8Array(content)) {
    const what = `toHaveFile: the content must be a string, a regular expression or bytes, and is ${formatValue(content)}`
    const hint = 'Options come third: `toHaveFile(path, undefined, { timeout })`.'
    throw new OptionError('INVALID_OPTION', what, { hint })
  }
  checkOptionNames('toHaveFile', options, ['timeout', 'via', 'signal'])
}
