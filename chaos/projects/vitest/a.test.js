import { test } from '@coldboot/vitest'
import { expectLines, report } from './workload.mjs'

test.override('vmOptions', { arch: process.env.CHAOS_ARCH })
report({ kind: 'loaded', file: 'a' })

test('a-1', ({ vm }) => expectLines(vm, 'a-1'))

test('a-2', ({ vm }) => expectLines(vm, 'a-2'))
