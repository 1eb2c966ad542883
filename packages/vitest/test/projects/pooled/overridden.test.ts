import { test as base, expect } from '@coldboot/vitest'

const test = base.extend<{ greeting: string }>({
  greeting: async ({ vm }, use) => {
    vm.send('echo gre""eting\n')
    const { text } = await vm.expect('greeting')
    await use(text)
  },
})

test.override('vmOptions', { name: 'box', memory: '160M' })

test('a custom fixture uses the machine', async ({ greeting, vm }) => {
  expect(greeting).toBe('greeting')
  expect([vm.name, vm.spec.memoryMib]).toEqual(['box', 160])
})
