import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

export default defineConfig({ plugins: [coldboot()] })
