/** Vitest's `test` with the fixtures `vm`, `bootVM`, `vmOptions` and `artifacts`. */
import { endPool, type VM, type VMOptions } from '@coldboot/core'
import { readEnvironment } from '@coldboot/core/internal'
import type { ArtifactOptions } from '@coldboot/report'
import type { TestAPI, TestContext } from 'vitest'
import { clockOf } from './keep-time.ts'
import { collector } from './task-collector.ts'
import type { TestMachines } from './test-machines.ts'

/** The fixtures of this package. */
export interface MachineFixtures {
  /**
   * Default options of each machine. If they name no system to boot, the small Linux guest of @coldboot/guest boots. Set the
   * defaults for a project with `coldboot({ vm })` in the configuration, and for a file or a `describe` with
   * `test.override('vmOptions', { … })`, which replaces all options of the project.
   *
   * @default {}
   */
  vmOptions: VMOptions
  /**
   * Selects the files of machines that are kept. Set it for a project with `coldboot({ artifacts })`, and for a file or a
   * `describe` with `test.override('artifacts', { … })`. Options of the project that an override does not name still hold.
   *
   * @default {}
   */
  artifacts: ArtifactOptions
  /** A machine with the options of `vmOptions`. It is ready, and ends with the test. */
  vm: VM
  /**
   * Boots another machine. Its options override those of `vmOptions`. The default names are `vm`, `vm-2` and so on. The
   * boot is limited by `bootTimeout` and does not count towards the timeout of the test.
   */
  bootVM: (options?: VMOptions) => Promise<VM>
}

/**
 * Vitest's time limit for ending the machines, milliseconds. Each step of ending has its own, shorter limit. Infinite
 * while debugging.
 */
const FINISH_MS = 60_000

// The type is that of `test` without fixtures, because tests do not use this one.
// oxlint-disable-next-line no-empty-pattern -- Vitest reads the dependencies of a fixture from the pattern.
const withPool = collector.extend('machinePool', { scope: 'worker', auto: true }, ({}, { onCleanup }) => {
  // The scope `worker`: pooled machines outlive the test file.
  onCleanup(endPool)
}) as unknown as TestAPI

/** Vitest's `test` with fixtures for machines. */
export const test: TestAPI<MachineFixtures> = withPool.extend<MachineFixtures>({
  vmOptions: [{}, { injected: true }],
  artifacts: [{}, { injected: true }],
  bootVM: async ({ task, annotate, onTestFinished, vmOptions, artifacts }, use) => {
    const loading = loadMachines({ task, annotate }, vmOptions, artifacts)
    // The cleanup of a fixture does not run if the test times out during its setup. `onTestFinished` always does.
    const finish = (): Promise<void> => loading.then((machines) => machines.finish(), ignoreFailedLoad)
    onTestFinished(finish, readEnvironment().debug ? Infinity : FINISH_MS)
    const machines = await loading
    await use((options) => machines.boot(options))
  },
  vm: async ({ bootVM }, use) => {
    await use(await bootVM())
  },
})

/** Loads the code that runs machines for the first test that uses one. Loading does not count towards the test's timeout. */
async function loadMachines(
  context: Pick<TestContext, 'task' | 'annotate'>,
  vmOptions: VMOptions,
  artifacts: ArtifactOptions,
): Promise<TestMachines> {
  using _hold = clockOf(context.task).hold()
  const { TestMachines } = await import('./test-machines.ts')
  return new TestMachines(context, vmOptions, artifacts)
}

/** Ignores the error, which the setup of the fixture has already thrown. */
function ignoreFailedLoad(): void {}
