import { coldboot } from '@coldboot/vitest/plugin'
import { defineConfig } from 'vitest/config'

const redact = [process.env['COLDBOOT_TEST_SECRET'] ?? '', /token-\w+/]
export default defineConfig({ plugins: [coldboot({ artifacts: { redact } })] })
