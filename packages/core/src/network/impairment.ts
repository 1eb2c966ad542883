/** Options for faults of a link, and their checks. */
import { type Check, type CheckTable, checkTable } from '../options/checked-options.ts'

/** Faults of a link, in each direction. Omitted options cause no fault. */
export interface Impairment {
  /** Delay of a frame, milliseconds. A ping is delayed twice. @default 0 */
  readonly latency?: number | undefined
  /** Variation of the latency up and down, uniformly distributed, milliseconds. Frames keep their order. @default 0 */
  readonly jitter?: number | undefined
  /** Ratio of lost frames, 0 to 1. @default 0 */
  readonly loss?: number | undefined
  /**
   * Bits per second, as a number or as `'512kbit'`, `'10Mbit'`, `'1Gbit'` (powers of 1000). At most 150 kB are queued;
   * further frames are lost, as on a real bottleneck. @default unlimited
   */
  readonly bandwidth?: number | string | undefined
  /** Whole number. With the same seed and the same traffic, the same frames are lost and delayed. @default 1 */
  readonly seed?: number | undefined
}

/** A checked impairment with defaults. */
export interface ResolvedImpairment {
  readonly latencyMs: number
  readonly jitterMs: number
  readonly loss: number
  /** Bandwidth, bytes per millisecond; undefined if unlimited. */
  readonly bytesPerMs: number | undefined
  readonly seed: number
  /** Whether there is no fault. */
  readonly isPerfect: boolean
}

const isMilliseconds: Check = ['milliseconds, 0 or more', (value) => isFinite(value) && value >= 0]
const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9 }
const CHECKS: CheckTable<Required<Impairment>> = {
  latency: isMilliseconds,
  jitter: isMilliseconds,
  loss: ['a ratio from 0 to 1 (0.1 drops every tenth frame)', (value) => isFinite(value) && value >= 0 && value <= 1],
  bandwidth: ["bits per second, such as 1000000 or '1Mbit'", (value) => bitsPerSecond(value) > 0],
  seed: ['a whole number', Number.isSafeInteger],
}

/** Checks the options and adds defaults. @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
export function resolveImpairment(options: Impairment): ResolvedImpairment {
  checkTable('impair', options, CHECKS)
  const { latency = 0, jitter = 0, loss = 0, bandwidth, seed = 1 } = options
  return {
    latencyMs: latency,
    jitterMs: jitter,
    loss,
    bytesPerMs: bandwidth === undefined ? undefined : bitsPerSecond(bandwidth) / 8_000,
    seed,
    isPerfect: latency === 0 && jitter === 0 && loss === 0 && bandwidth === undefined,
  }
}

/** Parses a bandwidth; NaN if the value is not one. */
function bitsPerSecond(bandwidth: unknown): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([kMG]?)(?:bit)?$/.exec(String(bandwidth)) ?? []
  return digits === undefined ? Number.NaN : Number(digits) * (UNITS[unit] ?? Number.NaN)
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value)
}
