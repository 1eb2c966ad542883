import { arbitraryArgs } from '@coldboot/core'
import { bootVM, useVM, withVM } from '@coldboot/jest'
import { beforeEach, describe, expect, jest, test } from '@jest/globals'

describe('a machine for each test', () => {
  const vm = useVM()
  const before = []

  test('is what the configuration describes', async () => {
    before.push(vm())
    expect([vm().name, vm().spec.memoryMib]).toEqual(['vm', 128])
    vm().send('echo hello-$((40 + 2))\n')
    await expect(vm()).toEventuallyPrint('hello-42')
    expect(vm()).toHavePrinted(/hello-\d+/)
    await expect(vm()).not.toEventuallyPrint('hello-42', { timeout: 50 })
  })

  test('is fresh for each test', () => {
    expect(before).toHaveLength(1)
    expect(before[0]).not.toBe(vm())
    expect(before[0].state).toBe('exited')
    expect(vm().state).toBe('running')
  })
})

describe('several machines', () => {
  const server = useVM({ name: 'server' })
  const client = useVM(async () => ({ name: 'client', devices: [arbitraryArgs('-name', 'other')] }))

  test('have their names', async () => {
    expect([server().name, client().name]).toEqual(['server', 'client'])
    expect([(await bootVM()).name, (await bootVM()).name]).toEqual(['vm', 'vm-2'])
  })
})

describe('a boot slower than the test', () => {
  const cold = { template: 'off' }
  const vm = useVM(cold)

  test('does not count as its time, before it or in it', async () => {
    const other = await bootVM(cold)
    expect([vm().state, other.state]).toEqual(['running', 'running'])
  }, 400)
})

describe('hooks', () => {
  const vm = useVM()
  let other
  beforeEach(async () => {
    vm().send('echo hoo""ked\n')
    other = await bootVM({ template: 'off' })
  }, 400)

  test('have the machine, and may boot one', async () => {
    await expect(vm()).toEventuallyPrint('hooked')
    expect(other.state).toBe('running')
  })
})

describe('concurrent', () => {
  test.concurrent.each([1, 2])(
    'machine %i answers for itself',
    withVM(async ({ vm }, number) => {
      vm.send(`echo machine-$((${number} + 0))\n`)
      await expect(vm).toEventuallyPrint(`machine-${number}`)
    }),
  )

  test.concurrent(
    'a machine has its options',
    withVM({ name: 'box', memory: '160M' }, async ({ vm, bootVM }) => {
      expect([vm.name, vm.spec.memoryMib]).toEqual(['box', 160])
      expect((await bootVM()).spec.memoryMib).toBe(128)
    }),
  )
})

test('fake timers do not affect the machine', async () => {
  jest.useFakeTimers()
  const vm = await bootVM()
  vm.send('echo boo""ted\n')
  await expect(vm).toEventuallyPrint(/booted/)
  jest.useRealTimers()
})

test.failing('a failure that is expected leaves nothing', async () => {
  const vm = await bootVM()
  expect(vm.state).toBe('exited')
})

test('a test with `done` works', (done) => {
  expect(done).toHaveLength(1)
  setTimeout(done, 1)
})

test('a test without a machine needs none', () => {
  expect(1).toBe(1)
})

test('regular expressions of the realm of this file work', async () => {
  const options = { ready: /coldboot#/, template: 'off', failOn: { custom: [{ name: 'own', pattern: /alarm-\d/ }] } }
  const vm = await bootVM(options)
  vm.send('echo alarm-$((1 + 1))\n')
  await expect(vm.expect(/never/)).rejects.toThrow('alarm-2')
})
