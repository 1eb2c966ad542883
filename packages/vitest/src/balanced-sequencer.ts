/** Splits test files into shards of equal time, by the durations of an earlier run. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { attempted } from '@coldboot/report'
import type { TestModule, TestSequencer, TestSpecification, Vitest } from 'vitest/node'
import { HOME } from './attempt.ts'

/** Project and path of a test file → milliseconds. */
export type Durations = Readonly<Record<string, number>>

const balanced = new WeakSet<Vitest>()

/** Durations that split a run. Committed, because all shards must use the same durations; a difference would skip files. */
const COMMITTED = 'test-durations.json'
/** The durations of the last complete run. */
const MEASURED = join(HOME, 'coldboot', 'durations.json')

/** Lets `--shard` split by time, and complete runs write the duration of each file. Once per Vitest. */
export function balanceShards(vitest: Vitest): void {
  if (balanced.has(vitest)) return
  balanced.add(vitest)
  const { config } = vitest
  const { sequence, shard, root } = config
  if (shard === undefined) {
    config.reporters.push({
      onTestRunEnd(modules: readonly TestModule[]) {
        attempted('The durations of the test files', () => writeDurations(vitest, join(root, MEASURED), modules))
      },
    })
    return
  }
  const { index, count } = shard
  const Sequencer = sequence.sequencer
  sequence.sequencer = class implements TestSequencer {
    readonly #other: TestSequencer

    constructor(context: Vitest) {
      this.#other = new Sequencer(context)
    }

    async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
      return await this.#other.sort(files)
    }

    async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
      const split = splitByTime(files, (file) => keyOf(vitest, file), readDurations(join(root, COMMITTED)), count)
      return split?.[index - 1] ?? (await this.#other.shard(files))
    }
  }
}

/**
 * Splits files so that all shards take about the same time: adds each file, the longest first, to the shortest shard. The same
 * files and durations produce the same shards. A file without a known duration counts as the mean of the others.
 *
 * @returns a list per shard; undefined if no duration is known
 */
export function splitByTime<File>(
  files: readonly File[],
  keyOfFile: (file: File) => string,
  durations: Durations,
  count: number,
): File[][] | undefined {
  const entries = files.map((file) => ({ file, key: keyOfFile(file) })).toSorted((a, b) => compare(a.key, b.key))
  const known = entries.flatMap(({ key }) => durations[key] ?? [])
  if (known.length === 0) return undefined
  const mean = known.reduce((sum, duration) => sum + duration, 0) / known.length
  const shards = Array.from({ length: count }, () => ({ files: [] as File[], time: 0 }))
  const timed = entries.map((entry) => ({ ...entry, time: durations[entry.key] ?? mean }))
  for (const { file, time } of timed.toSorted((a, b) => b.time - a.time)) {
    const shard = shards.reduce((least, other) => (other.time < least.time ? other : least))
    shard.files.push(file)
    shard.time += time
  }
  return shards.map((shard) => shard.files)
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function keyOf({ config }: Vitest, { project, moduleId }: Pick<TestModule, 'project' | 'moduleId'>): string {
  return `${project.name}:${relative(config.root, moduleId)}`
}

function readDurations(path: string): Durations {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Durations
  } catch {
    // Without the file, Vitest splits the files.
    return {}
  }
}

function writeDurations(vitest: Vitest, path: string, modules: readonly TestModule[]): void {
  const durations = modules.map((module) => {
    const { duration, collectDuration, setupDuration, prepareDuration, environmentSetupDuration } = module.diagnostic()
    const time = duration + collectDuration + setupDuration + prepareDuration + environmentSetupDuration
    return [keyOf(vitest, module), Math.round(time)] as const
  })
  mkdirSync(dirname(path), { recursive: true })
  const sorted = Object.fromEntries(durations.toSorted(([a], [b]) => compare(a, b)))
  writeFileSync(path, `${JSON.stringify(sorted, undefined, 2)}\n`)
}
