/**
 * `pnpm chaos`: starts real test runs, injects a fault into each of them at a random moment, and checks the promises of
 * docs/reliability.md. Prints the seed, each round, and a table.
 */
import { parseArgs } from 'node:util'
import { bundlePackages } from '../scripts/bundle.mjs'
import { runCampaign } from './campaign.ts'
import { FAULTS, type FaultName } from './faults.ts'
import { formatPlan } from './plan.ts'
import type { RoundResult } from './round.ts'
import { formatTable } from './table.ts'

const USAGE = `Usage: pnpm chaos [options]

  --rounds N     number of rounds (20)
  --seed S       seed of all choices, a whole number (random)
  --first K      number of the first round (0)
  --round K      runs only round K of the seed
  --fault NAME   injects only this fault
  --flood BYTES  output of the fault "flood console" (262144)
  --arch ARCH    architecture of the guests, if its QEMU is installed (that of the host)
  --minutes M    begins no round after M minutes (no limit)
  --small        runs two test files instead of three
  --keep         keeps the files of all rounds, not only of those that violate a promise
  --list         lists the faults

`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e9)) },
    first: { type: 'string' },
    round: { type: 'string' },
    fault: { type: 'string' },
    flood: { type: 'string' },
    arch: { type: 'string' },
    minutes: { type: 'string' },
    keep: { type: 'boolean' },
    small: { type: 'boolean' },
    list: { type: 'boolean' },
    help: { type: 'boolean' },
  },
})

function wholeNumber(name: 'rounds' | 'seed' | 'first' | 'round' | 'flood' | 'minutes'): number | undefined {
  const value = values[name]
  if (value === undefined) return undefined
  if (!/^\d+$/.test(value) || !Number.isSafeInteger(Number(value))) throw new Error(`--${name} must be a whole number`)
  return Number(value)
}

function faultName(): FaultName | undefined {
  const { fault } = values
  if (fault === undefined || fault in FAULTS) return fault as FaultName | undefined
  throw new Error(`--fault must be one of: ${Object.keys(FAULTS).join(', ')}`)
}

function show({ plan, status, details, seconds }: RoundResult): void {
  console.log(`${formatPlan(plan)}  ${status.padEnd(8)} ${seconds.toFixed(1).padStart(6)} s`)
  if (status === 'skipped') console.log(`       ${details.join('; ')}`)
  if (status !== 'violated') return
  for (const detail of details) console.log(`       ${detail.replaceAll('\n', '\n       ')}`)
  const fault = values.fault === undefined ? '' : ` --fault '${plan.fault}'`
  console.log(
    `       Repeat it: pnpm chaos --seed ${plan.seed} --round ${plan.round}${fault}${values.small ? ' --small' : ''}`,
  )
}

async function main(): Promise<void> {
  const [rounds = 0, seed = 0] = [wholeNumber('rounds'), wholeNumber('seed')]
  const [first, round, minutes] = [wholeNumber('first'), wholeNumber('round'), wholeNumber('minutes')]
  const options = {
    seed,
    fault: faultName(),
    floodBytes: wholeNumber('flood'),
    arch: values.arch,
    keepsAll: values.keep,
    isSmall: values.small,
    onRound: show,
  }
  console.log(`seed ${seed}`)
  const interrupted = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM']) process.once(name, () => interrupted.abort())
  await bundlePackages()
  const { results, kept } = await runCampaign({
    ...options,
    signal: interrupted.signal,
    ...(round === undefined ? { rounds, first } : { rounds: 1, first: round }),
    until: minutes === undefined ? undefined : Date.now() + minutes * 60_000,
  })
  console.log(`\n${formatTable(results)}\n`)
  const violated = results.filter(({ status }) => status === 'violated').length
  console.log(`seed ${seed}: ${results.length} rounds, ${violated} violated`)
  if (violated > 0 || values.keep) console.log(`Files: ${kept}`)
  process.exitCode = violated > 0 ? 1 : 0
}

if (values.help) console.log(USAGE)
else if (values.list) console.log(Object.keys(FAULTS).join('\n'))
else await main()
