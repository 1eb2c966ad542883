/**
 * Projects of all tests by their requirements. `unit`: none; `isolated`: a worker of its own; `types`: the compiler; `vm`: a real
 * QEMU; `e2e`: a real Vitest or Jest that boots machines. Groups run in sequence, so that machines do not slow down unit tests.
 * `--project vm` runs one project.
 */
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Number of workers with machines: half of the cores, because each machine also needs a core, but at least two. */
const machines = Math.max(2, Math.floor(availableParallelism() / 2))

const isCI = Boolean(process.env['CI'])

export default defineConfig({
  test: {
    globalSetup: 'scripts/private-tmp.mjs',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts', 'site/*.test.ts', 'chaos/*.test.ts'],
          exclude: ['**/*.vm.test.ts', '**/*.e2e.test.ts', '**/*.isolated.test.ts'],
          // A worker for each file would take 0.6 times more CPU time.
          isolate: false,
          setupFiles: 'scripts/clean-worker.mjs',
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          // Files that replace modules, which other files in the same worker may have loaded before.
          name: 'isolated',
          include: ['packages/*/src/**/*.isolated.test.ts'],
          testTimeout: 30_000,
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            include: ['packages/*/src/**/*.test-d.ts'],
            tsconfig: 'tsconfig.tests.json',
            // `npm run check` finds type errors outside of type tests.
            ignoreSourceErrors: true,
          },
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'vm',
          // Retries in CI, because timeouts may be too short on a busy host. The report lists flaky tests.
          retry: isCI ? 2 : 0,
          include: ['packages/*/src/**/*.vm.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          maxWorkers: machines,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          globalSetup: 'scripts/fresh-bundles.mjs',
          retry: isCI ? 2 : 0,
          include: ['packages/*/test/**/*.e2e.test.ts', 'site/*.e2e.test.ts', 'chaos/*.e2e.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: machines,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
