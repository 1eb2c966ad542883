import { useVM } from '@coldboot/jest'
import { expect, test } from '@jest/globals'

const vm = useVM()

test('adds two numbers', async () => {
  vm().send('echo sum-$((40 + 2))\n')
  await expect(vm()).toEventuallyPrint('sum-43', { timeout: 3_000 })
})
