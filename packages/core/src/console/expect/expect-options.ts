/** The options of a wait, checked. */
import { closestMatch } from 'leven'
import { OptionError } from '../../errors.ts'

/** Options of `expect`. */
export interface ExpectOptions {
  /**
   * Longest wait in all, milliseconds from the call, before the multiplier; 0 looks only at what is there, `Infinity` has
   * no limit.
   *
   * @default the machine’s `timeout`
   */
  readonly timeout?: number
  /** Longest silence, milliseconds since the last byte or the call, before the multiplier. @default none */
  readonly idleTimeout?: number
  /** Match the characters as they were sent, escape sequences and `\r` included. @default false */
  readonly raw?: boolean
  /**
   * `console`: all that was printed. `userspace`: without the messages of the kernel, also where one was printed into the
   * middle of a line; it knows them by their time stamp (`[    3.083140] text`).
   *
   * @default 'console'
   */
  readonly view?: 'console' | 'userspace'
  /** Ends the wait when it aborts. */
  readonly signal?: AbortSignal
}

const isDuration = (value: unknown): boolean => typeof value === 'number' && value >= 0

const CHECKS: Readonly<Record<keyof ExpectOptions, readonly [expected: string, accepts: (value: unknown) => boolean]>> =
  {
    timeout: ['a number of milliseconds, 0 or more', isDuration],
    idleTimeout: ['a number of milliseconds above 0', (value) => isDuration(value) && value !== 0],
    raw: ['true or false', (value) => typeof value === 'boolean'],
    view: ["'console' or 'userspace'", (value) => value === 'console' || value === 'userspace'],
    signal: ['an AbortSignal', (value) => value instanceof AbortSignal],
  }

/**
 * @param known the options that this call takes
 * @throws OptionError `UNKNOWN_OPTION` with the nearest known key, `INVALID_OPTION` with what the option must be
 */
export function checkExpectOptions(
  options: ExpectOptions,
  known: readonly (keyof ExpectOptions)[] = ['timeout', 'idleTimeout', 'raw', 'view', 'signal'],
): void {
  for (const [key, value] of Object.entries(options)) {
    const name = known.find((option) => option === key)
    if (name === undefined) throw unknownOption(key, known)
    const [expected, accepts] = CHECKS[name]
    if (value !== undefined && !accepts(value)) {
      throw new OptionError('INVALID_OPTION', `\`${key}\` must be ${expected}, and is ${String(value)}`)
    }
  }
  if (options.raw === true && options.view === 'userspace') {
    throw new OptionError('INVALID_OPTION', '`raw` is what was sent, and `view: "userspace"` is a part of it', {
      hint: 'Leave one of them out.',
    })
  }
}

function unknownOption(key: string, known: readonly string[]): OptionError {
  const suggestion = closestMatch(key, known, { maxDistance: 3 })
  const question = suggestion === undefined ? '' : `; did you mean \`${suggestion}\`?`
  return new OptionError('UNKNOWN_OPTION', `Unknown option \`${key}\`${question}`, {
    hint: `The options are ${known.join(', ')}.`,
  })
}
