import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

// A unique template, which no earlier run has created.
const templateKey = process.env['COLDBOOT_TEST_KEY']
export default defineConfig({ plugins: [coldboot({ vm: { templateKey } })] })
