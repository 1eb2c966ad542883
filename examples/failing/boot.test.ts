import { expect, test } from '@coldboot/vitest'

test('adds two numbers', async ({ vm }) => {
  vm.send('echo sum-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('sum-43', { timeout: 3_000 })
})
