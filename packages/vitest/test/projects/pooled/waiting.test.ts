import { readFileSync, writeFileSync } from 'node:fs'
import { test } from '@coldboot/vitest'
import { life } from './started-before.ts'

test.override('vmOptions', { devices: [life] })

test('starts the pool', async ({ vm }) => {
  await vm.run('sleep 1')
})

test('waits', { timeout: 0 }, async ({ vm, bootVM }) => {
  writeFileSync('worker', String(process.pid))
  // The parent of QEMU is the keeper.
  writeFileSync('keeper', /^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${vm.pid}/status`, 'utf8'))?.[1] ?? '')
  vm.send('echo last-words-$((1))\n')
  await vm.expect('last-words-1', { timeout: 50_000 })
  // Its parent is the worker. A firmware prints sooner than a kernel.
  const firmware = 'bios-256k.bin'
  const failOn = { noBootDevice: 'allow' } as const
  const cold = await bootVM({ name: 'cold', arch: 'x86_64', firmware, devices: [life], failOn, template: 'off' })
  await cold.expect(/\S/, { timeout: 50_000 })
  const never = vm.expect('never', { timeout: Infinity })
  console.log('waiting for ever')
  await never
})
