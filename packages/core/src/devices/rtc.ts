/** Real-time clock with a custom time. */
import { type CheckTable, checkTable, isString, oneOf } from '../options/checked-options.ts'
import type { Device } from './device.ts'
import { optionString } from './helpers/option-string.ts'

/** Options of {@link rtc}. */
export interface RtcOptions {
  /**
   * Time at the start of the machine: a date, or a text such as `2038-01-19T03:14:00Z`. @default the time of the host
   */
  readonly base?: Date | string | undefined
  /**
   * Time source of the clock. `host`: the clock of the host; `vm`: the time of the guest, which stops while its CPUs
   * are stopped. @default 'host'
   */
  readonly clock?: 'host' | 'vm' | undefined
}

const CHECKS: CheckTable<Required<RtcOptions>> = {
  base: [
    'a valid date, or a text such as "2038-01-19T03:14:00Z", of the years 1970 to 2199',
    (value) => (value instanceof Date || isString(value)) && isYear(new Date(value).getUTCFullYear()),
  ],
  clock: oneOf(['host', 'vm']),
}

/**
 * Sets the real-time clock, from which Linux takes its time at boot. A restored machine with this device keeps the time
 * of its guest, instead of getting the time of the host.
 *
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function rtc(options: RtcOptions = {}): Device {
  checkTable('rtc', options, CHECKS)
  const { clock = 'host' } = options
  // UTC in whole seconds, without time zone.
  const base = options.base === undefined ? 'utc' : new Date(options.base).toISOString().slice(0, 19)
  return {
    name: 'rtc',
    portable: { kind: 'rtc', options: { ...(base === 'utc' ? {} : { base: `${base}Z` }), clock } },
    claims: ['device:rtc'],
    keepsTime: true,
    qemuArgs: () => ['-rtc', optionString(undefined, { base, clock })],
  }
}

/** Whether the real-time clock of a PC can represent the year. It has two digits and a century. */
function isYear(year: number): boolean {
  return year >= 1970 && year < 2200
}
