/** Options of `expect` and their checks. */
import { type CheckTable, checkTable, isSignal, oneOf } from '../../options/checked-options.ts'
import { VIEW_NAMES, type ViewName } from '../text/console-text.ts'

/** Options of `expect`. */
export interface ExpectOptions {
  /**
   * Longest total wait, milliseconds from the call, before the multiplier. 0 searches only the output so far,
   * `Infinity` has no limit.
   *
   * @default the machine's `timeout`
   */
  readonly timeout?: number
  /** Longest silence, milliseconds since the last byte or the call, before the multiplier. @default none */
  readonly idleTimeout?: number
  /**
   * The searched text. `clean`: all output without escape codes, with `\n` as line end. `raw`: the unchanged
   * characters. `userspace`: clean text without kernel messages, even if a message interrupts a line. Kernel messages
   * are recognized by their time stamp (`[    3.083140] text`).
   *
   * @default 'clean'
   */
  readonly view?: ViewName
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal
}

const isDuration = (value: unknown): boolean => typeof value === 'number' && value >= 0

const VIEW_CHECKS: CheckTable<Required<Pick<ExpectOptions, 'view'>>> = { view: oneOf(VIEW_NAMES) }

const CHECKS: CheckTable<Required<ExpectOptions>> = {
  timeout: ['a number of milliseconds, 0 or more', isDuration],
  idleTimeout: ['a number of milliseconds above 0', (value) => isDuration(value) && value !== 0],
  ...VIEW_CHECKS,
  signal: isSignal,
}

/** @throws OptionError `UNKNOWN_OPTION` with the nearest known key, `INVALID_OPTION` with the values an option takes */
export function checkExpectOptions(options: ExpectOptions): void {
  checkTable('expect', options, CHECKS)
}

/** Same as {@link checkExpectOptions}, for the option `view` only. @throws OptionError */
export function checkViewOptions(options: Pick<ExpectOptions, 'view'>): void {
  checkTable('hasPrinted', options, VIEW_CHECKS)
}
