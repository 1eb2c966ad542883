/** The fixtures: `vm`, `bootVM`, and what both are made from, `vmOptions`. */
import { type VM, type VMOptions } from '@coldboot/core'
import { readEnvironment } from '@coldboot/core/internal'
import type { ArtifactOptions } from '@coldboot/report'
import type { TestAPI } from 'vitest'
import { collector } from './task-collector.ts'
import { TestMachines } from './test-machines.ts'

/** What a test can ask for. */
export interface MachineFixtures {
  /**
   * What each machine has unless its own options say otherwise. Where nothing to boot is given, the small Linux guest of
   * @coldboot/guest boots. Set it for a project with `coldboot({ vm })` in the configuration, for a file or a describe
   * with `test.override('vmOptions', { … })`.
   *
   * @default {}
   */
  vmOptions: VMOptions
  /**
   * What is kept of the machines: when, how much, and without which secrets. Set it for a project with
   * `coldboot({ artifacts })`, for a file or a describe with `test.override('artifacts', { … })`.
   *
   * @default {}
   */
  artifacts: ArtifactOptions
  /** A machine made from `vmOptions`: booted, ready, and gone with the test. */
  vm: VM
  /**
   * Boots one more machine, with options that replace those of `vmOptions` one by one. Named `vm`, `vm-2` and so on
   * unless given a name. The boot has its own time, `bootTimeout`, which the test's timeout does not count.
   */
  bootVM: (options?: VMOptions) => Promise<VM>
}

/**
 * Ending machines is bounded by itself, step by step; this is the runner's limit around it. Milliseconds. Who debugs takes
 * their time.
 */
const FINISH_MS = 60_000

/** Vitest's `test`, with machines. */
export const test: TestAPI<MachineFixtures> = collector.extend<MachineFixtures>({
  vmOptions: [{}, { injected: true }],
  artifacts: [{}, { injected: true }],
  bootVM: async ({ task, annotate, onTestFinished, vmOptions, artifacts }, use) => {
    const machines = new TestMachines({ task, annotate }, vmOptions, artifacts)
    // A fixture's own clean-up is not run when the test times out during the set-up; this is.
    onTestFinished(() => machines.finish(), readEnvironment().debug ? Infinity : FINISH_MS)
    await use((options) => machines.boot(options))
  },
  vm: async ({ bootVM }, use) => {
    await use(await bootVM())
  },
})
