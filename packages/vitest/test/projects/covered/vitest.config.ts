import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  plugins: [coldboot()],
  test: {
    coverage: { provider: 'v8', autoAttachSubprocess: true, include: ['src/**'], reporter: ['json'] },
  },
})
