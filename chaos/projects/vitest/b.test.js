import { test } from '@coldboot/vitest'
import { expectLines, report } from './workload.mjs'

report({ kind: 'loaded', file: 'b' })

test('b-1', ({ vm }) => expectLines(vm, 'b-1'))
