import { expect, test } from 'vitest'
import type { Fault } from './fault.ts'
import { FAULTS, type FaultName } from './faults.ts'
import { planRound } from './plan.ts'

const NAMES = Object.keys(FAULTS) as FaultName[]

test('the plan of a round depends on the seed and its number only', () => {
  const plans = Array.from({ length: 50 }, (_, round) => planRound(7, round))
  expect(planRound(7, 31)).toEqual(plans[31])
  expect(new Set(plans.map(({ fault, moment, choice }) => JSON.stringify([fault, moment, choice]))).size).toBe(50)
  expect(planRound(8, 31)).not.toEqual({ ...plans[31], seed: 8 })
})

test('each fault is planned once in a series of rounds', () => {
  const series = [0, 1].map((number) =>
    NAMES.map((_, index) => planRound(7, number * NAMES.length + index).fault).toSorted(),
  )
  expect(series).toEqual([NAMES.toSorted(), NAMES.toSorted()])
})

test('a fault of a machine is not planned before a machine runs, nor in a runner without its victim', () => {
  const plans = Array.from({ length: 500 }, (_, round) => planRound(7, round))
  const wrong = plans.filter(({ fault, runner, moment }) => {
    const { needsMachine, runners }: Fault = FAULTS[fault]
    return (needsMachine && moment.kind === 'loaded') || runners?.includes(runner) === false
  })
  expect(wrong).toEqual([])
})
