import { expect, test } from 'vitest'
import { startTimer, stopTimer } from './clock.ts'

test('a timer with a delay that Node does not support does not fire at once', async () => {
  const fired: string[] = []
  const long = startTimer(() => fired.push('long'), 1e12)
  await new Promise<void>((resolve) => void startTimer(resolve, 2))
  stopTimer(long)
  expect(fired).toEqual([])
})
