import { virtioRandom } from '@coldboot/core'
import { type Machines, useVM, type VM, withVM } from '@coldboot/jest'
import { describe, expect, test } from '@jest/globals'

async function greet(vm: VM): Promise<void> {
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-42', { timeout: 20_000 })
  await expect(vm).not.toEventuallyPrint('hello-42', { timeout: 50 })
  expect(vm).toHavePrinted(/hello-\d+/)
  // @ts-expect-error: a number is no pattern
  expect(() => expect(vm).toHavePrinted(42)).toThrow('A pattern must be a string')
}

describe('machines', () => {
  const vm: () => VM = useVM({ devices: [virtioRandom()] })

  test('greet', () => greet(vm()))

  test.concurrent.each([{ memory: 160 }])(
    'greet concurrently',
    withVM({ memory: '160M' }, async ({ vm: own }: Machines, { memory }: { memory: number }) => {
      expect(own.spec.memoryMib).toBe(memory)
      await greet(own)
    }),
  )
})
