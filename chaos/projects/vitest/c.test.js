import { test } from '@coldboot/vitest'
import { expectLines, report } from './workload.mjs'

test.override('vmOptions', { arch: process.env.CHAOS_ARCH })
report({ kind: 'loaded', file: 'c' })

test('c-1', async ({ bootVM }) => {
  await expectLines(await bootVM(process.env.CHAOS_COLD ? { template: 'off' } : {}), 'c-1')
})
