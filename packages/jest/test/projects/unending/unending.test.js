/** Leaves a pooled machine and a handle that keeps its worker running. */

import { useVM } from '@coldboot/jest'
import { expect, test } from '@jest/globals'

const vm = useVM()

test('uses a machine', async () => {
  expect((await vm().run('true')).exitCode).toBe(0)
})

test('uses a pooled machine', async () => {
  expect((await vm().run('sleep 1')).exitCode).toBe(0)
  setInterval(() => {}, 2 ** 30)
})
