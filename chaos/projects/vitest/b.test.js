import { test } from '@coldboot/vitest'
import { expectLines, report } from './workload.mjs'

test.override('vmOptions', { arch: process.env.CHAOS_ARCH })
report({ kind: 'loaded', file: 'b' })

test('b-1', ({ vm }) => expectLines(vm, 'b-1'))
