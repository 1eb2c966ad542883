/** The Vitest plugin `coldboot()`. */
import { fileURLToPath } from 'node:url'
import { OptionError, type VMOptions } from '@coldboot/core'
import {
  type CheckTable,
  checkTable,
  checkVMOptions,
  DEFAULTS,
  isFlag,
  isObject,
  LONGEST_TIMER,
  readEnvironment,
  warnOfUnknownVariables,
} from '@coldboot/core/internal'
import { type ArtifactOptions, resolveArtifacts } from '@coldboot/report'
import type {} from 'vitest/config'
import type { Vite, Vitest } from 'vitest/node'
import { completeAbandoned } from './abandoned-machines.ts'
import type {} from './augmentation.ts'
import { balanceShards } from './balanced-sequencer.ts'
import { cacheCompiledModules } from './compile-cache.ts'
import { endInOrder } from './interrupt.ts'
import { keepMachines } from './kept-machines.ts'
import ColdbootReporter, { hasReporter } from './reporter.ts'
import { showProgress } from './run-progress.ts'
import { shareTerminal } from './shared-terminal.ts'

/** Options of a machine that cannot be sent to a worker, because they contain functions. */
type Unsendable = 'devices' | 'serialOutput' | 'observer' | 'signal' | 'aroundDebug' | 'prepare' | 'from'

/** Options of a machine for all tests of a project. The others are set in a test file, with `test.override('vmOptions', …)`. */
export type ProjectVMOptions = Omit<VMOptions, Unsendable>

/** Options of {@link coldboot}. */
export interface ColdbootOptions {
  /**
   * Default options of each machine of the project. Plain data only, because it is sent to the workers. Set devices,
   * streams and signals in the test files, with `test.override('vmOptions', …)`.
   *
   * @default {}
   */
  readonly vm?: ProjectVMOptions
  /**
   * Selects the files of machines that are kept. A file or a test may override it.
   * @default {}: all files of failed attempts
   */
  readonly artifacts?: ArtifactOptions
  /**
   * Whether a run that fails or keeps files writes a page, `.vitest/coldboot/index.html`. In CI, the consoles are also added
   * to the summary of a GitHub job and to the report of Vitest's `junit` reporter.
   *
   * @default true
   */
  readonly report?: boolean
  /**
   * Whether `--shard` splits the test files by time instead of by number. The times are those of `test-durations.json` in the
   * root of the project; without that file, Vitest splits by number. A run without `--shard`, or one that merges the reports of
   * all shards, writes `.vitest/coldboot/durations.json`. Copy it to `test-durations.json` and commit it.
   *
   * @default false
   */
  readonly balanceShards?: boolean
}

/** Vitest's default time limit of a hook, milliseconds. */
const HOOK_MS = 10_000
/** Shortest `testTimeout` in milliseconds, and the number of full default waits that it must allow. */
const TEST_MS = 30_000
const WAITS_PER_TEST = 4

/**
 * Registers the matchers, ends machines on Ctrl-C, and passes `vm` to the tests. Unless the configuration sets them, extends
 * `hookTimeout` by the time of a boot and multiplies it, because `beforeEach` may start a machine, and `testTimeout` to 30
 * seconds or four times the `timeout` of `vm`, because Vitest's 5 seconds are shorter than one default wait.
 *
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`, also if `vm` cannot be sent to a worker
 */
export function coldboot(options: ColdbootOptions = {}): Vite.Plugin {
  checkTable('coldboot', options, CHECKS)
  checkVMOptions(options.vm ?? {})
  const vm = sendable(options.vm ?? {})
  const artifacts = resolveArtifacts(options.artifacts ?? {})
  return {
    name: 'coldboot',
    config(config) {
      const { hookTimeout = hookLimit(vm), testTimeout = testLimit(vm) } = config.test ?? {}
      return { test: { hookTimeout, testTimeout } }
    },
    configureVitest({ vitest, project }: { vitest: Vitest; project: Vitest['projects'][number] }) {
      project.config.setupFiles.unshift(fileURLToPath(new URL('./setup.js', import.meta.url)))
      if (options.vm) project.provide('vmOptions', vm)
      if (options.artifacts) project.provide('artifacts', options.artifacts)
      void warnOfUnknownVariables()
      completeAbandoned(vitest, artifacts)
      shareTerminal(vitest, project)
      keepMachines(vitest, project)
      cacheCompiledModules(project)
      showProgress(vitest)
      endInOrder(vitest)
      if (options.balanceShards) balanceShards(vitest)
      if (options.report !== false) addReporter(vitest, project)
    },
  }
}

const CHECKS: CheckTable<Required<ColdbootOptions>> = {
  vm: isObject,
  artifacts: isObject,
  report: isFlag,
  balanceShards: isFlag,
}

/** Default time limit of a hook. Multiplied here, because the clock of a test does not limit its hooks. */
function hookLimit({ bootTimeout = DEFAULTS.bootTimeout, timeoutMultiplier }: VMOptions): number {
  const factor = timeoutMultiplier ?? readEnvironment().timeoutMultiplier
  return Math.min(Math.ceil((HOOK_MS + bootTimeout) * factor), LONGEST_TIMER)
}

/** Default time limit of a test, before COLDBOOT_TIMEOUT_MULTIPLIER. */
function testLimit({ timeout = DEFAULTS.timeout, timeoutMultiplier = 1 }: VMOptions): number {
  return Math.max(TEST_MS, WAITS_PER_TEST * timeout * timeoutMultiplier)
}

const reporters = new WeakMap<Vitest, ColdbootReporter>()

/** Adds one reporter for all projects with the plugin. Vitest creates its reporters later. */
function addReporter(vitest: Vitest, project: Vitest['projects'][number]): void {
  if (hasReporter(vitest, '@coldboot/vitest/reporter')) return
  const reporter = reporters.get(vitest) ?? new ColdbootReporter()
  reporter.addProject(project)
  if (reporters.has(vitest)) return
  reporters.set(vitest, reporter)
  vitest.config.reporters.push(reporter)
}

function sendable(vm: VMOptions): VMOptions {
  for (const [name, value] of Object.entries(vm)) {
    if (isPlain(value)) continue
    throw new OptionError('INVALID_OPTION', `coldboot({ vm: { ${name} } }) cannot be sent to the test workers`, {
      hint: `Set it in the test file instead: test.override('vmOptions', { ${name}: … }).`,
    })
  }
  return vm
}

// Not checked with `structuredClone`, which clones an AbortSignal to an empty object without an error.
function isPlain(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return true
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
  return plain && Object.values(value).every(isPlain)
}
