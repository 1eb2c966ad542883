/**
 * All tests of the workspace, by what they need: `unit` nothing, `types` the compiler, `vm` a real QEMU, `e2e` a real
 * Vitest or Jest that boots machines. Groups run one after the other, so that a machine under load never times out a
 * unit test. `--project vm` runs one of them.
 */
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

/** Emulated machines are busy with themselves; two at a time still help where there are two cores. */
const machines = Math.max(2, Math.floor(availableParallelism() / 2))

const isCI = Boolean(process.env['CI'])

export default defineConfig({
  test: {
    globalSetup: 'scripts/private-tmp.mjs',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['packages/*/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.vm.test.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
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
            // Mistakes outside of type tests are for `npm run check` to find.
            ignoreSourceErrors: true,
          },
          maxWorkers: '100%',
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'vm',
          // A busy host can be slower than any bound: in CI a test may show it again. The report names it as flaky.
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
          include: ['packages/*/test/**/*.e2e.test.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          maxWorkers: machines,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
