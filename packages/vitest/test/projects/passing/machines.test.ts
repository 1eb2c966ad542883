import { beforeEach, describe, expect, test, type VM } from '@coldboot/vitest'

test('has the machine that the configuration describes', async ({ vm }) => {
  expect([vm.name, vm.spec.memoryMib]).toEqual(['vm', 128])
  vm.send('echo hello-$((40 + 2))\n')
  await expect(vm).toEventuallyPrint('hello-42')
  expect(vm).toHavePrinted('hello-42')
  await expect(vm).not.toEventuallyPrint('hello-42', { timeout: 50 })
})

test('a test without a machine needs none', () => {
  expect(1).toBe(1)
})

test('numbers the machines of a test', async ({ vm, bootVM }) => {
  const other = await bootVM()
  expect([vm.name, other.name]).toEqual(['vm', 'vm-2'])
})

describe('a boot slower than the test', () => {
  test.override('vmOptions', { template: 'off' })

  test('does not count as its time', { timeout: 400 }, async ({ vm }) => {
    vm.send('echo boo""ted\n')
    await expect(vm).toEventuallyPrint('booted')
  })
})

describe('in a hook', () => {
  const machines: VM[] = []
  beforeEach<{ vm: VM }>(async ({ vm }) => {
    machines.push(vm)
  })

  test('is the machine of the test', async ({ vm }) => {
    expect(machines.at(-1)).toBe(vm)
    expect(vm.state).toBe('running')
  })

  test('is fresh for each test', async ({ vm }) => {
    expect(machines).toHaveLength(2)
    expect(machines[0]).not.toBe(vm)
    expect(machines[0]?.state).toBe('exited')
  })
})

describe('concurrent', () => {
  test.concurrent.for([1, 2])('machine %i answers for itself', async (number, { vm, expect }) => {
    vm.send(`echo machine-$((${number} + 0))\n`)
    await expect(vm).toEventuallyPrint(`machine-${number}`)
  })
})

describe('attempts', () => {
  const pids: number[] = []

  test('a retry has its own machine', { retry: 1 }, async ({ vm }) => {
    pids.push(vm.pid)
    expect(new Set(pids).size).toBe(2)
  })

  test('a repeat has its own machine', { repeats: 1 }, async ({ vm }) => {
    pids.push(vm.pid)
    expect(new Set(pids).size).toBe(pids.length)
  })
})

test.fails('a failure that is expected leaves nothing either', async ({ vm }) => {
  expect(vm.state).toBe('exited')
})
