import { test } from '@coldboot/vitest'

test('fails', async ({ vm }) => {
  await vm.expect('never', { timeout: 100 })
})
