/** Installs the projects of a campaign, runs its rounds, and removes everything. */
import { cpSync, existsSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jestProject } from '../packages/jest/test/jest-project.ts'
import { type InstalledProject, installProject } from '../packages/vitest/test/installed-project.ts'
import type { FaultName } from './faults.ts'
import { planRound } from './plan.ts'
import { type ChaosCampaign, type RoundResult, runRound } from './round.ts'

const PROJECTS = fileURLToPath(new URL('projects', import.meta.url))
const PACKAGES = fileURLToPath(new URL('../packages', import.meta.url))
/** Packages with QEMU and the guest of this host, which are linked if they were made. */
const MACHINE_PACKAGES = ['qemu', `guest-on-${process.arch}`]

/** Options of a campaign. */
export interface CampaignOptions {
  readonly seed: number
  readonly rounds: number
  /** Number of the first round. @default 0 */
  readonly first?: number | undefined
  /** The only fault. @default all */
  readonly fault?: FaultName | undefined
  /** Size of the output of a flood, bytes. @default 262_144 */
  readonly floodBytes?: number | undefined
  /** Architecture of the guests. @default that of the host */
  readonly arch?: string | undefined
  /** No round begins after this time, milliseconds since the epoch. @default none */
  readonly until?: number | undefined
  /** Whether each run has two test files instead of three. @default false */
  readonly isSmall?: boolean | undefined
  /** Whether the files of all rounds are kept. @default false: those of violated rounds */
  readonly keepsAll?: boolean | undefined
  /** Ends the campaign when it aborts. @default none */
  readonly signal?: AbortSignal
  readonly onRound?: (result: RoundResult) => void
}

/** Runs rounds. @returns their results, and where the files of violated rounds are */
export async function runCampaign(
  options: CampaignOptions,
): Promise<{ readonly results: readonly RoundResult[]; readonly kept: string }> {
  const { seed, rounds, first = 0, fault, floodBytes = 2 ** 18, arch, until = Infinity, onRound } = options
  const { signal = new AbortController().signal, keepsAll = false, isSmall = false } = options
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'coldboot-chaos-')))
  const kept = join(folder, 'kept')
  using vitest = prepare(installProject(join(PROJECTS, 'vitest')))
  using jest = prepare(jestProject(join(PROJECTS, 'jest')))
  const campaign: ChaosCampaign = {
    projects: { vitest, jest },
    cache: join(folder, 'cache'),
    compiled: join(folder, 'compiled'),
    kept,
    keepsAll,
    floodBytes,
    arch,
    files: isSmall ? ['a', 'c'] : ['a', 'b', 'c'],
    signal,
  }
  const results: RoundResult[] = []
  try {
    await warmUp(campaign)
    for (let round = first; round < first + rounds && Date.now() < until && !signal.aborted; round++) {
      const result = await runRound(campaign, planRound(seed, round, fault))
      // The result of an interrupted round has no meaning.
      if (signal.aborted) break
      results.push(result)
      onRound?.(result)
    }
    return { results, kept }
  } finally {
    for (const name of ['cache', 'compiled']) rmSync(join(folder, name), { recursive: true, force: true })
    if (!existsSync(kept)) rmSync(folder, { recursive: true, force: true })
  }
}

function prepare(project: InstalledProject): InstalledProject {
  cpSync(join(PROJECTS, 'workload.mjs'), join(project.root, 'workload.mjs'))
  for (const name of MACHINE_PACKAGES) {
    symlinkSync(join(PACKAGES, name), join(project.root, 'node_modules', '@coldboot', name))
  }
  return project
}

/** Makes the template, by a run without a fault. */
async function warmUp({ projects, cache, arch }: ChaosCampaign): Promise<void> {
  const { root } = projects.vitest
  const env = { COLDBOOT_CACHE: cache, CHAOS_EVENTS: join(root, 'events'), CHAOS_FAULT: '/dev/null', CHAOS_ARCH: arch }
  const { exitCode, output } = await projects.vitest.run(['c.test.js'], env)
  if (exitCode !== 0) throw new Error(`The first run, without a fault, failed:\n${output}`)
}
