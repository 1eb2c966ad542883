import { expect, test } from '@coldboot/vitest'

test('a machine boots without any option', async ({ vm }) => {
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-42')
})
