import { expect, test } from '@coldboot/vitest'

test('machines start from a checkpoint of another one', async ({ vm, bootVM }) => {
  await vm.run('echo kept >/tmp/state')
  const checkpoint = await vm.checkpoint()
  await vm.run('rm /tmp/state')
  const other = await bootVM({ name: 'other', from: checkpoint })
  expect((await other.run('cat /tmp/state')).stdout).toBe('kept\n')
  expect(other.name).toBe('other')
  const seen = bootVM({ name: 'third', from: checkpoint, memory: '128M' })
  await expect(seen).rejects.toMatchObject({ code: 'UNKNOWN_OPTION', message: expect.stringContaining('memory') })
})
