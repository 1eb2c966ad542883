import { expect, test } from '@coldboot/vitest'

test('is debugged', { timeout: 1_500 }, async ({ vm }) => {
  await vm.debug()
  // Does not match the input of the session.
  vm.send('echo after-$((1))\n')
  const { before } = await vm.expect('after-1', { timeout: 20_000 })
  expect(before).not.toContain('typed')
})
