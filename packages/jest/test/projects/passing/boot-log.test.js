import { useVM } from '@coldboot/jest'
import { expect, test } from '@jest/globals'

const vm = useVM()

test('boots as ever', async () => {
  await expect(vm()).toMatchBootLog()
})
