import { createRequire } from 'node:module'
import * as core from '@coldboot/core'
import { afterAll, expect, test } from 'vitest'

const KEY = Symbol.for('coldboot.jest')

afterAll(() => Reflect.deleteProperty(globalThis, KEY))

test('exports every value of @coldboot/core, and those of @coldboot/guest for tests', () => {
  const guest = {
    kernelOf: async () => ({}),
    linuxGuest: async () => ({}),
    rootfs: async () => ({}),
    hostRoot: async () => ({}),
  }
  Reflect.set(globalThis, KEY, { useVM: test, withVM: test, bootVM: test, modules: { core, guest } })
  const index = createRequire(import.meta.url)('../dist/index.cjs') as Record<string, unknown>
  for (const [name, value] of Object.entries(core)) expect(index[name], name).toBe(value)
  for (const [name, value] of Object.entries(guest)) expect(index[name], name).toBe(value)
  expect(Object.keys(index)).toHaveLength(Object.keys(core).length + 7)
})
