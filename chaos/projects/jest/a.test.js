import { useVM } from '@coldboot/jest'
import { test } from '@jest/globals'
import { expectLines, report } from './workload.mjs'

report({ kind: 'loaded', file: 'a' })

const vm = useVM({ arch: process.env.CHAOS_ARCH })

test('a-1', () => expectLines(vm(), 'a-1'), 2 ** 31)

test('a-2', () => expectLines(vm(), 'a-2'), 2 ** 31)
