import { expect, test, vi } from 'vitest'
import type { Launched } from '../../machine/launch.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'
import { unlessGivenUp } from './start-pool.ts'

test('a machine that arrives after its start was aborted is ended', async () => {
  const controller = new AbortController()
  const { promise, resolve } = Promise.withResolvers<Launched>()
  const taking = unlessGivenUp(promise, { name: 'vm', signal: controller.signal } as MachineSpec)
  controller.abort()
  await expect(taking).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
  const removed = vi.fn()
  resolve({
    machine: { shutDown: async () => {} },
    directory: { remove: async () => {} },
    plan: {},
    registration: { [Symbol.dispose]: removed },
  } as unknown as Launched)
  await vi.waitFor(() => expect(removed).toHaveBeenCalledOnce())
})
