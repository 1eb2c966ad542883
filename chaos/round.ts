/** Runs one round: a run of a test runner, its fault, and the checks afterwards. */
import { renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { InstalledProject, RunnerRun } from '../packages/vitest/test/installed-project.ts'
import { checkLogs } from './console-logs.ts'
import { keepFiles, mountsBelow, prepareFolders, unmountBelow } from './disks.ts'
import { type ChaosEvent, eventIn, readEvents } from './events.ts'
import type { Done, Fault, RoundFolders } from './fault.ts'
import { FAULTS } from './faults.ts'
import { findLeftovers } from './leftovers.ts'
import { checkOutcome } from './outcome.ts'
import type { Moment, RoundPlan, RunnerName } from './plan.ts'
import { MARK, processesOf, signal } from './processes.ts'

/** Parts that all rounds share. */
export interface ChaosCampaign {
  readonly projects: Readonly<Record<RunnerName, InstalledProject>>
  /** Cache with a template. */
  readonly cache: string
  /** Where the files of violated rounds are kept. */
  readonly kept: string
  /** Whether the files of all rounds are kept. */
  readonly keepsAll: boolean
  readonly floodBytes: number
  /** Architecture of the guests; undefined for that of the host. */
  readonly arch: string | undefined
  /** Compiled code of Node, kept for all rounds because each starts several processes. */
  readonly compiled: string
  /** Test files that are run, without their extension. */
  readonly files: readonly string[]
  /** Ends the round when it aborts. */
  readonly signal: AbortSignal
}

/** Result of a round. */
export interface RoundResult {
  readonly plan: RoundPlan
  /** `missed`: the run ended before the fault, or had no target for it. */
  readonly status: 'kept' | 'violated' | 'missed' | 'skipped'
  /** What is wrong, or why the round was skipped. */
  readonly details: readonly string[]
  readonly seconds: number
}

/** Longest time of a run, milliseconds, and of each MiB of a flood. */
const RUN_MS = 120_000
const FLOOD_MS = 15_000
/** Arguments for the JSON report. */
const REPORT = {
  vitest: ['--reporter=default', '--reporter=json', '--outputFile.json=results.json'],
  jest: ['--json', '--outputFile=results.json'],
}

/** Jest kills workers that do not exit within a second, for example on a busy host. */
const JEST_KILLED = /has failed to exit gracefully and has been force exited/

/** Runs a round. Removes its files afterwards, except those of a round that violates a promise. */
export async function runRound(campaign: ChaosCampaign, plan: RoundPlan): Promise<RoundResult> {
  const start = performance.now()
  const result = (status: RoundResult['status'], details: readonly string[] = []): RoundResult => ({
    plan,
    status,
    details,
    seconds: (performance.now() - start) / 1_000,
  })
  const fault: Fault = FAULTS[plan.fault]
  const missing = fault.missing?.()
  if (missing !== undefined) return result('skipped', [missing])
  const { keepsAll, projects } = campaign
  const { root } = projects[plan.runner]
  const folders: RoundFolders = {
    root,
    temporary: join(root, 'tmp'),
    cache: (fault.cache ?? 'shared') === 'shared' ? campaign.cache : join(root, 'cache'),
    artifacts: join(root, plan.runner === 'jest' ? '.jest' : '.vitest', 'coldboot'),
  }
  removeFiles(root)
  try {
    prepareFolders(fault, folders, campaign.cache)
    const { done, violations } = await disturb(campaign, plan, fault, folders)
    if (violations.length > 0 || keepsAll) keepFiles(root, join(campaign.kept, `round-${plan.round}`))
    if (violations.length > 0) return result('violated', violations)
    return result(done === undefined || done === 'no victim' ? 'missed' : 'kept')
  } finally {
    unmountBelow(root)
    removeFiles(root)
  }
}

async function disturb(
  { projects, floodBytes, arch, files, compiled, signal: abort }: ChaosCampaign,
  plan: RoundPlan,
  fault: Fault,
  folders: RoundFolders,
): Promise<{ readonly done: Done | undefined; readonly violations: string[] }> {
  const { root } = folders
  const mark = `${process.pid}-${plan.round}-${folders.root}`
  const [eventsFile, faultFile] = [join(root, 'events'), join(root, 'fault')]
  writeFileSync(eventsFile, '')
  const run = projects[plan.runner].start([...REPORT[plan.runner], ...files.map((file) => `${file}.test.js`)], {
    ...environment(folders, plan),
    NODE_COMPILE_CACHE: compiled,
    CHAOS_ARCH: arch,
    ...(files.length < 3 ? { CHAOS_SMALL: '1' } : {}),
    ...fault.env?.(folders),
    [MARK]: mark,
  })
  const limit = RUN_MS + (plan.fault === 'flood console' ? (floodBytes / 2 ** 20) * FLOOD_MS : 0)
  const ended = endWithin(run.ended, limit, mark, abort)
  const event = await eventIn(eventsFile, (events) => nthEvent(events, plan.moment), ended)
  let done: Done | undefined
  const problems: string[] = []
  if (event !== undefined) {
    await delay(plan.moment.delayMs)
    const events = (): readonly ChaosEvent[] => readEvents(eventsFile)
    const context = { plan, mark, runner: run.pid, event, events, folders, floodBytes }
    const acted = await Promise.allSettled([(async () => fault.act(context))()])
    if (acted[0].status === 'fulfilled') done = acted[0].value
    else problems.push(`the fault could not be injected: ${String(acted[0].reason)}`)
    // Tests may read the file at any time.
    writeFileSync(`${faultFile}.new`, JSON.stringify(typeof done === 'object' ? done : {}))
    renameSync(`${faultFile}.new`, faultFile)
  }
  const mounts = mountsBelow(root)
  const { run: finished, isHung } = await ended
  const isDone = done !== undefined && done !== 'no victim'
  const expects = !isDone ? ({ run: 'passes', affected: 'none' } as const) : fault.expects
  const isKilled = (expects.leavesFiles ?? false) || JEST_KILLED.test(finished.output)
  const events = readEvents(eventsFile)
  const violations = [
    ...problems,
    ...mountsBelow(root).flatMap((path) => (mounts.includes(path) ? [] : [`mount ${path} is left`])),
    ...(isHung ? [`the run did not end within ${limit / 1_000} s`] : []),
    ...(await findLeftovers(mark, folders, isKilled || isHung, expects.leavesLocks ?? false)),
    ...checkOutcome(
      {
        run: finished,
        report: join(root, 'results.json'),
        events,
        victim: event ?? { kind: 'loaded', worker: 0 },
        files,
      },
      expects,
    ),
    ...checkLogs(folders.artifacts, events, expects.losesLog ?? false),
  ]
  for (const { pid } of processesOf(mark)) signal(pid, 'SIGKILL')
  return { done, violations }
}

function environment({ root, temporary, cache }: RoundFolders, { isCold }: RoundPlan): NodeJS.ProcessEnv {
  return {
    TMPDIR: temporary,
    COLDBOOT_CACHE: cache,
    CHAOS_EVENTS: join(root, 'events'),
    CHAOS_FAULT: join(root, 'fault'),
    ...(isCold ? { CHAOS_COLD: '1' } : {}),
  }
}

/** Kills a run, and all of its processes, after a time limit. */
async function endWithin(
  ended: Promise<RunnerRun>,
  limitMs: number,
  mark: string,
  abort: AbortSignal,
): Promise<{ readonly run: RunnerRun; readonly isHung: boolean }> {
  let isHung = false
  const end = (): void => {
    isHung = true
    for (const { pid } of processesOf(mark)) signal(pid, 'SIGKILL')
  }
  const timer = setTimeout(end, limitMs)
  abort.addEventListener('abort', end)
  const run = await ended
  clearTimeout(timer)
  abort.removeEventListener('abort', end)
  return { run, isHung }
}

function nthEvent(events: readonly ChaosEvent[], { kind, count }: Moment): ChaosEvent | undefined {
  return events.filter((event) => event.kind === kind)[count - 1]
}

function removeFiles(root: string): void {
  for (const name of ['.vitest', '.jest', 'tmp', 'cache', 'cache-view', 'events', 'fault', 'results.json', 'clock']) {
    rmSync(join(root, name), { recursive: true, force: true })
  }
}
