import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

// A template that no earlier run can have made.
const templateKey = process.env['COLDBOOT_TEST_KEY']
export default defineConfig({ plugins: [coldboot({ vm: { templateKey } })] })
