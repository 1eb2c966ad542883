import { expect, test } from 'vitest'
import { coldboot } from './plugin.ts'

/** What the plugin adds to a user's configuration. */
function configured(plugin: ReturnType<typeof coldboot>, config: object): unknown {
  const hook = plugin.config
  return typeof hook === 'function' ? Reflect.apply(hook, undefined, [config, {}]) : undefined
}

test('a hook gets the time of a boot besides its own', () => {
  expect(configured(coldboot(), {})).toEqual({ test: { hookTimeout: 70_000 } })
  expect(configured(coldboot({ vm: { bootTimeout: 5_000 } }), { test: {} })).toEqual({ test: { hookTimeout: 15_000 } })
})

test("a hook's time in the configuration wins", () => {
  expect(configured(coldboot(), { test: { hookTimeout: 1_000 } })).toEqual({})
})

test('what cannot be sent to the workers is refused, with where to put it', () => {
  expect(() => coldboot({ vm: { signal: new AbortController().signal } })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('test.override') }),
  )
  expect(() => coldboot({ vm: { ready: /login: /, kernelArgs: ['quiet'] } })).not.toThrow()
})
