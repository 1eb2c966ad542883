import { expect, onTestFinished, test, vi } from 'vitest'
import { during } from './during.ts'

const box = { name: 'box' }

test('returns the result of the body, and checks before, during and after it', async () => {
  const log: string[] = []
  let checks = 0
  const { promise: checked, resolve } = Promise.withResolvers<void>()
  const result = await during(
    box,
    () => {
      log.push('check')
      if (++checks === 3) resolve()
    },
    async () => {
      log.push('body')
      await checked
      log.push('done')
      return 42
    },
    { interval: 1 },
  )
  expect(result).toBe(42)
  expect(log.slice(0, 2)).toEqual(['check', 'body'])
  expect(log.at(-1)).toBe('check')
})

test('fails at once when the invariant fails, and aborts the signal of the body', async () => {
  let checks = 0
  let signal: AbortSignal | undefined
  const running = during(
    box,
    () => ++checks < 3,
    (given) => {
      signal = given
      return new Promise(() => {})
    },
    { interval: 1 },
  )
  const error: unknown = await running.catch((reason: unknown) => reason)
  expect(error).toMatchObject({ code: 'INVARIANT_FAILED' })
  expect(String(error)).toContain('The invariant of "box" failed while the body ran, at check 3: it returned false')
  expect(signal?.reason).toBe(error)
})

test('does not run the body if the invariant fails before', async () => {
  const invariant = () => Promise.reject(new Error('web is inactive'))
  const running = during(box, invariant, () => expect.unreachable('the body ran'), {})
  await expect(running).rejects.toThrow(/failed before the body ran, at check 1: web is inactive/)
})

test('rejects with the error of the body, after a check that was running', async () => {
  let [isChecking, checks] = [false, 0]
  const invariant = async () => {
    isChecking = true
    checks++
    await Promise.resolve()
    isChecking = false
  }
  const failing = () => Promise.reject(new Error('the body failed'))
  await expect(during(box, invariant, failing, { interval: 1 })).rejects.toThrow('the body failed')
  expect([isChecking, checks]).toEqual([false, 1])
})

test('fails for an invariant that fails only at the end', async () => {
  let isBroken = false
  const breaking = () => {
    isBroken = true
  }
  const running = during(box, () => !isBroken, breaking, { interval: 60_000 })
  await expect(running).rejects.toThrow(/failed after the body ran, at check 2/)
  await expect(
    during(
      box,
      () => {},
      () => {},
      { intervall: 1 } as object,
    ),
  ).rejects.toThrow(/did you mean `interval`/)
})

test('refuses a call without the body', async () => {
  const body = undefined as unknown as () => void
  await expect(during(box, () => true, body, {})).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

test('leaves no listeners while the body runs', async () => {
  const added = vi.spyOn(AbortSignal.prototype, 'addEventListener')
  const removed = vi.spyOn(AbortSignal.prototype, 'removeEventListener')
  onTestFinished(() => void vi.restoreAllMocks())
  const { promise: checked, resolve } = Promise.withResolvers<void>()
  let checks = 0
  const invariant = (): void => void (++checks === 4 && resolve())
  await during(box, invariant, () => checked, { interval: 1 })
  expect(removed.mock.calls.length).toBe(added.mock.calls.length)
})
