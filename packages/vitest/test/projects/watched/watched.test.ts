import { readFileSync, statSync } from 'node:fs'
import { expect, test } from '@coldboot/vitest'
import { firmware } from './firmware.ts'

test.override('vmOptions', firmware)

test('shows what its machine was started from', async ({ vm }) => {
  const [, memory = ''] = /mem-path=([^,\0]+)/.exec(readFileSync(`/proc/${vm.pid}/cmdline`, 'utf8')) ?? []
  const { ino, birthtimeMs } = statSync(memory)
  console.log(`template ${memory} ${ino} ${birthtimeMs}.`)
})

test('fails without a machine', () => {
  expect({ answer: 42 }).toEqual({ answer: 43 })
})
