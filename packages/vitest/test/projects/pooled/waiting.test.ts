import { readFileSync, writeFileSync } from 'node:fs'
import { test } from '@coldboot/vitest'
import { life } from './started-before.ts'

test.override('vmOptions', { devices: [life] })

test('starts the pool', async ({ vm }) => {
  await vm.run('sleep 1')
})

test('waits', { timeout: 0 }, async ({ vm }) => {
  writeFileSync('worker', String(process.pid))
  // The parent of QEMU is the keeper.
  writeFileSync('keeper', /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${vm.pid}/status`, 'utf8'))?.[1] ?? '')
  const never = vm.expect('never', { timeout: Infinity })
  console.log('waiting for ever')
  await never
})
