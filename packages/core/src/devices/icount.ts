/** Option of QEMU that derives the time of the guest from executed instructions instead of the host time. */
import { OptionError } from '../errors.ts'
import { type CheckTable, checkTable, isFlag, wholeNumber } from '../options/checked-options.ts'
import type { Device } from './device.ts'
import { optionString } from './helpers/option-string.ts'

/** Options of {@link icount}. */
export interface IcountOptions {
  /** Guest time of an instruction: 2^shift nanoseconds, with shift from 0 to 10. @default 3 */
  readonly shift?: number | undefined
  /**
   * Whether an idle guest waits in host time. If false, guest time jumps to the next timer of the guest. @default false
   */
  readonly sleep?: boolean | undefined
  /**
   * Seed of the random numbers that QEMU provides to the guest, 0 to 4294967295. @default none: numbers are really
   * random
   */
  readonly seed?: number | undefined
}

const CHECKS: CheckTable<Required<IcountOptions>> = {
  shift: wholeNumber(0, 10),
  sleep: isFlag,
  seed: wholeNumber(0, 2 ** 32 - 1),
}

/**
 * Derives the time of the guest from the number of executed instructions, so that the speed of the host has no
 * influence on the guest. Needs emulated CPUs (`accelerator: 'tcg'`), which then run one after the other.
 *
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function icount(options: IcountOptions = {}): Device {
  checkTable('icount', options, CHECKS)
  const { shift = 3, sleep = false, seed } = options
  return {
    name: 'icount',
    portable: { kind: 'icount', options: { shift, sleep, ...(seed === undefined ? {} : { seed }) } },
    claims: ['device:icount'],
    validate({ accelerator }) {
      if (accelerator === 'tcg') return
      throw new OptionError('INVALID_OPTION', `icount() cannot count the instructions of CPUs with ${accelerator}`, {
        hint: "Set `accelerator: 'tcg'`.",
      })
    },
    qemuArgs: () => [
      ...['-icount', optionString(undefined, { shift, align: false, sleep })],
      ...(seed === undefined ? [] : ['-seed', String(seed)]),
    ],
  }
}
