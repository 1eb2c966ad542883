import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [coldboot()],
  // Long enough for a busy host. Tests that should time out set their own limits.
  test: { testTimeout: 60_000 },
})
