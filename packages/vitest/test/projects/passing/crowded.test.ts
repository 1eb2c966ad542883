import { expect, test } from '@coldboot/vitest'

test.override('vmOptions', { maxMachines: 1 })

// Concurrent, so that the tests also wait for each other.
test.concurrent.for([1, 2])('two machines where one is the limit (%i)', async (_number, { bootVM }) => {
  const first = await bootVM({ name: 'first' })
  const second = await bootVM({ name: 'second' })
  expect([first.state, second.state]).toEqual(['running', 'running'])
})
