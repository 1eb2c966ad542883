import { test } from '@coldboot/vitest'

test('never ends', { timeout: 0 }, async ({ vm }) => {
  const never = vm.expect('never', { timeout: Infinity })
  console.log('waiting for ever')
  await never
})
