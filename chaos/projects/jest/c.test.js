import { bootVM } from '@coldboot/jest'
import { test } from '@jest/globals'
import { expectLines, report } from './workload.mjs'

report({ kind: 'loaded', file: 'c' })

test('c-1', async () => expectLines(await bootVM(process.env.CHAOS_COLD ? { template: 'off' } : {}), 'c-1'), 2 ** 31)
