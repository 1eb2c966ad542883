import { bootVM } from '@coldboot/jest'
import { test } from '@jest/globals'
import { expectLines, report } from './workload.mjs'

report({ kind: 'loaded', file: 'c' })

const options = { arch: process.env.CHAOS_ARCH, ...(process.env.CHAOS_COLD ? { template: 'off' } : {}) }

test('c-1', async () => expectLines(await bootVM(options), 'c-1'), 2 ** 31)
