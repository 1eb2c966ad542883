import { runInNewContext } from 'node:vm'
import { describe, expect, test } from 'vitest'
import { CallSite } from './call-site.ts'

describe('an error completed by a call site', () => {
  test("an error completed by a call site that has lost the user's line gets it back", () => {
    const error = new TypeError('lost')
    error.stack = 'TypeError: lost\n    at node:internal/timers:1:2\n    at async Promise.all (index 0)'
    const site = new CallSite()
    expect(site.complete(error)).toBe(error)
    expect(error.stack).toMatch(/^TypeError: lost\n\s+at .*call-site\.test\.ts:\d+:\d+/)
  })

  test('an error completed by a call site that has one keeps it', () => {
    const error = new Error('here')
    const { stack } = error
    expect(new CallSite().complete(error)).toHaveProperty('stack', stack)
  })

  test('is unchanged if it is not an error of this realm', () => {
    const foreign: unknown = runInNewContext('new Error("foreign")')
    expect([foreign, 'text', undefined].map((value) => new CallSite().complete(value))).toEqual([
      foreign,
      'text',
      undefined,
    ])
  })
})
