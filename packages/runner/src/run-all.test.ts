import { expect, test } from 'vitest'
import { runAll, settleAll } from './run-all.ts'

test('runs the steps in order, also after one has failed, and throws the first error', async () => {
  const order: string[] = []
  const fails = (name: string) => async () => {
    order.push(name)
    throw new Error(name)
  }
  const steps = [fails('first'), () => void order.push('second'), fails('third')]
  await expect(runAll(steps)).rejects.toThrow('first')
  expect(order).toEqual(['first', 'second', 'third'])
})

test('waits for all promises before it rejects with the first error', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const order: string[] = []
  const all = settleAll([Promise.reject(new Error('early')), promise.then((text) => order.push(text))])
  const caught = all.catch((error: Error) => order.push(error.message))
  await new Promise(setImmediate)
  resolve('late')
  await caught
  expect(order).toEqual(['late', 'early'])
  expect(await settleAll([1, Promise.resolve(2)])).toEqual([1, 2])
})
