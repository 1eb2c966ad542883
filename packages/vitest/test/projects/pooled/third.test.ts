import { expect, test } from '@coldboot/vitest'
import { hostUptime, life, noteMachine } from './started-before.ts'

const loaded = hostUptime()

test.override('vmOptions', { devices: [life] })

test('runs a command', async ({ vm }) => {
  noteMachine('third', vm.pid, loaded)
  expect((await vm.run('echo $((6 * 7))')).stdout).toBe('42\n')
  // The next machine may still be restored.
  expect((await vm.run('sleep 1')).exitCode).toBe(0)
})
