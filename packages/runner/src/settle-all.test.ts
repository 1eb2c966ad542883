import { expect, test } from 'vitest'
import { settleAll } from './settle-all.ts'

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
