import { expect, test } from '@coldboot/vitest'

test('fails', async ({ vm, bootVM }) => {
  await vm.run('echo left >/tmp/state')
  const other = await bootVM({ name: 'other', from: await vm.checkpoint() })
  await other.run('echo other >/tmp/state')
  expect(vm.state).toBe('exited')
})
