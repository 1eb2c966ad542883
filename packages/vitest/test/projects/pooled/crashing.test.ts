import { test } from '@coldboot/vitest'
import { life } from './started-before.ts'

test.override('vmOptions', { devices: [life] })

test('starts the pool', async ({ vm }) => {
  await vm.run('sleep 1')
})

test('crashes', ({ vm }) => {
  console.log('QEMU', vm.pid)
  process.kill(process.pid, 'SIGKILL')
})
