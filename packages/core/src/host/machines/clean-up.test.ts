import { expect, test } from 'vitest'
import { cleanUp } from './clean-up.ts'

test('runs all steps in order, and rejects with the first error', async () => {
  const done: string[] = []
  const fail = (name: string): Promise<never> => {
    done.push(name)
    return Promise.reject(new Error(name))
  }
  const steps = cleanUp(
    () => void done.push('first'),
    () => fail('second'),
    () => {
      done.push('third')
      throw new Error('third')
    },
    async () => void done.push('fourth'),
  )
  await expect(steps).rejects.toThrow('second')
  expect(done).toEqual(['first', 'second', 'third', 'fourth'])
})

test('resolves when no step fails', async () => {
  await expect(cleanUp(() => undefined)).resolves.toBeUndefined()
})
