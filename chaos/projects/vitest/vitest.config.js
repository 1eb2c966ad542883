import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [coldboot({ artifacts: { retain: 'always', maxBytes: 2 ** 31 }, report: !process.env.CHAOS_SMALL })],
  test: { maxWorkers: 2, testTimeout: 0 },
})
