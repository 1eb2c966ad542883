import { expect, test } from '@coldboot/vitest'

test.override('vmOptions', { maxMachines: 1 })

// In each other's way, too.
test.concurrent.for([1, 2])('two machines where one is the limit (%i)', async (_number, { bootVm }) => {
  const first = await bootVm({ name: 'first' })
  const second = await bootVm({ name: 'second' })
  expect([first.state, second.state]).toEqual(['running', 'running'])
})
