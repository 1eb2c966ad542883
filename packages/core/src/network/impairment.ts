/** What can be wrong with a link, as a user says it, and the checks. */
import { type Check, type CheckTable, checkTable } from '../options/checked-options.ts'

/** Faults of a link, each in one direction. What is left out is perfect. */
export interface Impairment {
  /** How much later a frame arrives, milliseconds. A ping waits for it twice. @default 0 */
  readonly latency?: number | undefined
  /** By how much the latency varies up and down, evenly spread, milliseconds. Frames keep their order. @default 0 */
  readonly jitter?: number | undefined
  /** Share of the frames that are lost, 0 to 1. @default 0 */
  readonly loss?: number | undefined
  /**
   * Bits per second, as a number or as `'512kbit'`, `'10Mbit'`, `'1Gbit'` (powers of 1000). 150 kB wait at most for
   * their turn; more is lost, as on a real bottleneck. @default unlimited
   */
  readonly bandwidth?: number | string | undefined
  /** Whole number: the same seed loses and delays the same frames of the same traffic. @default 1 */
  readonly seed?: number | undefined
}

/** An impairment with its defaults. */
export interface ResolvedImpairment {
  readonly latencyMs: number
  readonly jitterMs: number
  readonly loss: number
  /** Undefined: unlimited. */
  readonly bytesPerMs: number | undefined
  readonly seed: number
  /** Whether it changes nothing. */
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

/** @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` */
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

/** NaN for what is no bandwidth. */
function bitsPerSecond(bandwidth: unknown): number {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([kMG]?)(?:bit)?$/.exec(String(bandwidth)) ?? []
  return digits === undefined ? Number.NaN : Number(digits) * (UNITS[unit] ?? Number.NaN)
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value)
}
