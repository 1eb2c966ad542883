import { expect, test } from '@coldboot/vitest'

test('says goodbye', async ({ vm }) => {
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-43', { within: 1_000 })
})
