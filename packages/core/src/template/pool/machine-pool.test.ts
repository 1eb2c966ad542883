import { expect, test } from 'vitest'
import { MachinePool, type PoolWork } from './machine-pool.ts'

interface FakeMachine {
  readonly number: number
  restored: boolean
  gone: boolean
}

/** A pool of fake machines whose restores wait for `restores`. */
function fakeMachines(restores: Promise<void> = Promise.resolve()) {
  const made: FakeMachine[] = []
  const discarded: number[] = []
  const work: PoolWork<string, FakeMachine> = {
    launch: async () => {
      const machine = { number: made.length, restored: false, gone: false }
      made.push(machine)
      return machine
    },
    async restore(machine) {
      await restores
      machine.restored = true
    },
    isGone: ({ gone }) => gone,
    discard: async ({ number }) => void discarded.push(number),
  }
  return { made, discarded, work }
}

const key = { key: 'template', identity: '' }
const recipe = { source: '', memoryMib: 64 }

test('restores one machine, which the next start takes', async () => {
  const { made, work } = fakeMachines()
  const pool = new MachinePool(work)
  expect(await pool.take(key)).toBeUndefined()
  pool.refill(key, recipe)
  pool.refill(key, recipe)
  await pool.settled()
  expect(made).toEqual([{ number: 0, restored: true, gone: false }])
  expect(await pool.take(key)).toBe(made[0])
  expect(await pool.take(key)).toBeUndefined()
})

test('has two machines when one is taken before it is restored', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const { made, work } = fakeMachines(promise)
  const pool = new MachinePool(work)
  pool.refill(key, recipe)
  const taken = pool.take(key)
  resolve()
  expect(await taken).toBe(made[0])
  pool.refill(key, recipe)
  await pool.settled()
  expect(made).toHaveLength(3)
})

/** Starts machines at once. @returns the numbers of those from the pool */
async function burst(pool: MachinePool<string, FakeMachine>, starts: number): Promise<(number | undefined)[]> {
  const taken = await Promise.all(Array.from({ length: starts }, () => pool.take(key)))
  for (const _ of taken) pool.refill(key, recipe)
  await pool.settled()
  return taken.map((machine) => machine?.number)
}

test('launches as many machines as started at once two times, and restores the first two', async () => {
  const { made, work } = fakeMachines()
  const pool = new MachinePool(work)
  expect(await burst(pool, 10)).toEqual(Array.from({ length: 10 }))
  // The first ones may be the only ones.
  expect(made).toHaveLength(1)
  expect(await burst(pool, 10)).toEqual([0, ...Array.from({ length: 9 })])
  const machines = made.slice(1)
  expect(machines.map(({ restored }) => restored)).toEqual([true, true, ...Array.from({ length: 8 }, () => false)])
  expect(await burst(pool, 10)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
  expect(machines.slice(0, 10).every(({ restored }) => restored)).toBe(true)
})

test('has a machine for each of several workers whose starts overlap', async () => {
  const { work } = fakeMachines()
  const pool = new MachinePool(work)
  const start = async (): Promise<FakeMachine | undefined> => {
    const machine = await pool.take(key)
    await pool.settled()
    return machine
  }
  const running = [start(), start(), start()]
  const given: (FakeMachine | undefined)[] = []
  // Each worker begins its next start before the others have ended theirs.
  for (let round = 0; round < 30; round++) {
    given.push(await running.shift())
    pool.refill(key, recipe)
    running.push(start())
  }
  await Promise.all(running)
  expect(given.slice(10)).not.toContain(undefined)
})

test('goes on after a start that fails', async () => {
  const { made, work } = fakeMachines()
  const pool = new MachinePool(work)
  await pool.take(key)
  await pool.take(key)
  pool.refill(key, recipe)
  await pool.settled()
  expect(made).toHaveLength(1)
})

test('does not give the machines of a start that differs, whose pool was ended before', async () => {
  const { discarded, work } = fakeMachines()
  const pool = new MachinePool(work)
  await pool.take({ ...key, identity: 'first' })
  await pool.end()
  await pool.take(key)
  pool.refill(key, recipe)
  pool.refill({ ...key, identity: 'first' }, recipe)
  await pool.settled()
  expect(await pool.take(key)).toBeUndefined()
  await expect.poll(() => discarded).toEqual([0])
})

test('has fewer machines again after single starts', async () => {
  const { made, work } = fakeMachines()
  const pool = new MachinePool(work)
  await burst(pool, 4)
  await burst(pool, 4)
  expect(made).toHaveLength(5)
  // The pool considers the last 32 starts.
  for (let start = 0; start < 32; start++) {
    await pool.take(key)
    pool.refill(key, recipe)
    await pool.settled()
  }
  // One machine was taken by the second burst and 32 by the single starts, and one is left.
  expect(made).toHaveLength(34)
})

test('waits for a second start of a template whose first start expected none', async () => {
  const { made, work } = fakeMachines()
  const pool = new MachinePool(work)
  const single = { ...recipe, isRepeated: false }
  await pool.take(key)
  pool.refill(key, single)
  await pool.settled()
  expect(made).toHaveLength(0)
  await pool.take(key)
  pool.refill(key, single)
  await pool.settled()
  expect(await pool.take(key)).toBe(made[0])
})

test('ends the pool of a template whose machines differ, and does not fill it again', async () => {
  const { made, discarded, work } = fakeMachines()
  const pool = new MachinePool(work)
  pool.refill(key, recipe)
  await pool.settled()
  expect(await pool.take({ ...key, identity: 'other' })).toBeUndefined()
  expect(discarded).toEqual([0])
  pool.refill(key, recipe)
  expect(await pool.take(key)).toBeUndefined()
  expect(made).toHaveLength(1)
})

test('ends the machines of the template that was not used for the longest time', async () => {
  const { discarded, work } = fakeMachines()
  const pool = new MachinePool(work)
  for (const name of ['a', 'b', 'c', 'd', 'a', 'e']) {
    pool.refill({ key: name, identity: '' }, recipe)
    await pool.settled()
  }
  await Promise.resolve()
  expect(discarded).toEqual([1])
  expect(await pool.take({ key: 'a', identity: '' })).toMatchObject({ number: 0 })
})

test('gives no machine that has ended, and none whose start fails', async () => {
  const { made, discarded, work } = fakeMachines()
  const pool = new MachinePool(work)
  pool.refill(key, recipe)
  await pool.settled()
  for (const machine of made) machine.gone = true
  expect(await pool.take(key)).toBeUndefined()
  expect(discarded).toEqual([0])
  const failing = new MachinePool({ ...work, restore: () => Promise.reject(new Error('refused')) })
  failing.refill(key, recipe)
  await failing.settled()
  expect(await failing.take(key)).toBeUndefined()
  expect(discarded).toEqual([0, 1])
})

test('ends all machines', async () => {
  const { made, discarded, work } = fakeMachines()
  const pool = new MachinePool(work)
  pool.refill(key, recipe)
  pool.refill({ key: 'other', identity: '' }, recipe)
  await pool.end()
  expect(new Set(discarded)).toEqual(new Set(made.map(({ number }) => number)))
})

test('a machine that cannot be ended fails neither a later start nor the process', async () => {
  const { work } = fakeMachines()
  const pool = new MachinePool({ ...work, discard: () => Promise.reject(new Error('EBUSY')) })
  for (const name of ['1', '2', '3', '4', '5']) pool.refill({ ...key, key: name }, recipe)
  await pool.settled()
  expect(await pool.take({ key: '5', identity: 'another' })).toBeUndefined()
})
