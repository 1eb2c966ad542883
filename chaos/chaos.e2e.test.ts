/** Some rounds of `pnpm chaos`. `CHAOS_SEED` and `CHAOS_ROUNDS` choose others. */
import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { expect, test } from 'vitest'
import { runCampaign } from './campaign.ts'
import { formatPlan } from './plan.ts'
import { formatTable } from './table.ts'

const seed = Number(process.env['CHAOS_SEED'] ?? 1)
const rounds = Number(process.env['CHAOS_ROUNDS'] ?? 20)

test(`${rounds} runs with a fault each keep what is promised`, { timeout: 0 }, async ({ annotate }) => {
  const { results, kept } = await runCampaign({ seed, rounds, isSmall: true })
  await annotate(`seed ${seed}\n${formatTable(results)}`)
  const violated = results.filter(({ status }) => status === 'violated')
  if (violated.length === 0) rmSync(dirname(kept), { recursive: true, force: true })
  expect(
    violated.map(({ plan, details }) =>
      [formatPlan(plan), `Repeat it: pnpm chaos --small --seed ${seed} --round ${plan.round}`, ...details].join('\n'),
    ),
  ).toEqual([])
  expect(results).toHaveLength(rounds)
  expect(results.filter(({ status }) => status === 'kept').length).toBeGreaterThan(rounds / 2)
})
