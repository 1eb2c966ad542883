/** `coldboot()`: the one line a user adds to the Vitest configuration. */
import { fileURLToPath } from 'node:url'
import { OptionError, type VMOptions } from '@coldboot/core'
import { DEFAULTS } from '@coldboot/core/internal'
import { type ArtifactOptions, resolveArtifacts } from '@coldboot/report'
import type {} from 'vitest/config'
import type { Vite, Vitest } from 'vitest/node'
import { completeAbandoned } from './abandoned-machines.ts'
import type {} from './augmentation.ts'
import { endInOrder } from './interrupt.ts'
import ColdbootReporter, { hasReporter } from './reporter.ts'
import { showProgress } from './run-progress.ts'
import { shareTerminal } from './shared-terminal.ts'

/** Options of {@link coldboot}. */
export interface ColdbootOptions {
  /**
   * What each machine of the project has, unless a file or a test says otherwise. Plain data only: it is sent to the
   * workers. Set devices, streams and signals in the tests, with `test.override('vmOptions', …)`.
   *
   * @default {}
   */
  readonly vm?: VMOptions
  /**
   * What is kept of the machines of the project's tests, unless a file or a test says otherwise.
   * @default {}: everything of failed attempts
   */
  readonly artifacts?: ArtifactOptions
  /**
   * Whether a run that fails, or keeps files of its machines, leaves a page to look at: `.vitest/coldboot/index.html`. In
   * CI it also adds the consoles to the summary of a GitHub job, and to the report of Vitest's `junit` reporter.
   *
   * @default true
   */
  readonly report?: boolean
}

/** Vitest's own limit of a hook, milliseconds. */
const HOOK_MS = 10_000

/**
 * Registers the matchers, ends machines in order on Ctrl-C, and passes `vm` on to the tests. A hook gets the time of a
 * boot besides its own, since `beforeEach` may ask for a machine too; `hookTimeout` in the configuration wins.
 *
 * @throws OptionError `INVALID_OPTION` when `vm` has what cannot be sent to a worker; for artifact options that are wrong
 */
export function coldboot(options: ColdbootOptions = {}): Vite.Plugin {
  const vm = sendable(options.vm ?? {})
  const artifacts = resolveArtifacts(options.artifacts ?? {})
  return {
    name: 'coldboot',
    config(config) {
      if (config.test?.hookTimeout !== undefined) return {}
      return { test: { hookTimeout: HOOK_MS + (vm.bootTimeout ?? DEFAULTS.bootTimeout) } }
    },
    configureVitest({ vitest, project }: { vitest: Vitest; project: Vitest['projects'][number] }) {
      project.config.setupFiles.unshift(fileURLToPath(new URL('./setup.js', import.meta.url)))
      if (options.vm) project.provide('vmOptions', vm)
      if (options.artifacts) project.provide('artifacts', options.artifacts)
      completeAbandoned(vitest, artifacts)
      shareTerminal(vitest, project)
      showProgress(vitest)
      endInOrder(vitest)
      if (options.report !== false) addReporter(vitest, project)
    },
  }
}

const reporters = new WeakMap<Vitest, ColdbootReporter>()

/** One reporter for all projects that have the plugin. Vitest makes its reporters after this. */
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
      hint: `Give it in the test file instead: test.override('vmOptions', { ${name}: … }).`,
    })
  }
  return vm
}

// `structuredClone` is no judge: it makes an empty object of an AbortSignal without complaint.
function isPlain(value: unknown): boolean {
  if (typeof value === 'function' || typeof value === 'symbol') return false
  if (typeof value !== 'object' || value === null || value instanceof RegExp) return true
  const plain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype
  return plain && Object.values(value).every(isPlain)
}
