/** Plan of a round: the fault, its moment, and the test runner. Depends on the seed and the number of the round only. */
import { createHash } from 'node:crypto'
import type { Fault } from './fault.ts'
import { FAULTS, type FaultName } from './faults.ts'

/** A test runner whose run is disturbed. */
export type RunnerName = 'vitest' | 'jest'

/** Events of tests, in the order of one test. */
export const MOMENTS = ['loaded', 'started', 'printed'] as const

/** When a fault is injected. */
export interface Moment {
  /** A test file was loaded, a machine was started, or a burst of lines was received. */
  readonly kind: (typeof MOMENTS)[number]
  /** Which event of this kind in the run, from 1. */
  readonly count: number
  /** Delay after it, milliseconds. */
  readonly delayMs: number
}

/** What happens in a round. */
export interface RoundPlan {
  readonly seed: number
  readonly round: number
  readonly runner: RunnerName
  readonly fault: FaultName
  readonly moment: Moment
  /** Whether one of the tests boots its machine. */
  readonly isCold: boolean
  /** Choice of the fault, such as a victim or a duration, in the range of [0, 1). */
  readonly choice: number
}

const LONGEST_DELAY_MS = 250
/** Part of the rounds in which a machine boots. */
const COLD = 0.15
/** Largest number of an event, by its kind. Every run has that many before the fault. */
const MOST = { loaded: 2, started: 2, printed: 6 }

/**
 * @param only plans this fault, @default each fault once per series of rounds, in random order
 */
export function planRound(seed: number, round: number, only?: FaultName): RoundPlan {
  const [runner = 0, kind = 0, count = 0, delay = 0, cold = 0, choice = 0] = fractions(`${seed}/${round}`)
  const name = only ?? faultOf(seed, round)
  const fault: Fault = FAULTS[name]
  const kinds = MOMENTS.filter((one) => !(fault.needsMachine && one === 'loaded'))
  const moment = pick(kinds, kind)
  return {
    seed,
    round,
    runner: pick(fault.runners ?? ['vitest', 'jest'], runner),
    fault: name,
    moment: {
      kind: moment,
      count: 1 + Math.floor(count * MOST[moment]),
      delayMs: Math.floor(delay * LONGEST_DELAY_MS),
    },
    isCold: cold < COLD,
    choice,
  }
}

/** A line that describes a plan. */
export function formatPlan({ round, runner, fault, moment, isCold }: RoundPlan): string {
  const when = `${moment.kind} ${moment.count} + ${moment.delayMs} ms`
  return [
    String(round).padStart(5),
    runner.padEnd(6),
    fault.padEnd(22),
    when.padEnd(20),
    isCold ? 'cold' : '    ',
  ].join('  ')
}

function faultOf(seed: number, round: number): FaultName {
  const names = Object.keys(FAULTS) as FaultName[]
  const series = Math.floor(round / names.length)
  const order = names.map((name) => ({ name, place: digest(`${seed}/${series}/${name}`) }))
  order.sort((a, b) => a.place.compare(b.place))
  return (order[round % names.length] as { name: FaultName }).name
}

function pick<Item>(items: readonly Item[], fraction: number): Item {
  return items[Math.floor(fraction * items.length + 1e-9)] as Item
}

/** Eight numbers from 0 to 1, exclusive. */
function fractions(text: string): readonly number[] {
  const bytes = digest(text)
  return Array.from({ length: 8 }, (_, index) => bytes.readUInt32LE(index * 4) / 2 ** 32)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
