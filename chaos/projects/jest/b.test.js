import { useVM } from '@coldboot/jest'
import { test } from '@jest/globals'
import { expectLines, report } from './workload.mjs'

report({ kind: 'loaded', file: 'b' })

const vm = useVM({ arch: process.env.CHAOS_ARCH })

test('b-1', () => expectLines(vm(), 'b-1'), 2 ** 31)
