import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [coldboot()],
  // Long enough for a busy host: the tests that are to time out have limits of their own.
  test: { testTimeout: 60_000 },
})
