import { expect, test } from 'vitest'
import { coldboot } from './plugin.ts'

/** The configuration that the plugin adds. */
function configured(plugin: ReturnType<typeof coldboot>, config: object): unknown {
  const hook = plugin.config
  return typeof hook === 'function' ? Reflect.apply(hook, undefined, [config, {}]) : undefined
}

test('extends the default hookTimeout by the time of a boot', () => {
  expect(configured(coldboot(), {})).toEqual({ test: { hookTimeout: 70_000 } })
  expect(configured(coldboot({ vm: { bootTimeout: 5_000 } }), { test: {} })).toEqual({ test: { hookTimeout: 15_000 } })
})

test('keeps the hookTimeout of the configuration', () => {
  expect(configured(coldboot(), { test: { hookTimeout: 1_000 } })).toEqual({})
})

test('refuses options that cannot be sent to the workers, with a hint where to set them', () => {
  expect(() => coldboot({ vm: { signal: new AbortController().signal } })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('test.override') }),
  )
  expect(() => coldboot({ vm: { ready: /login: /, kernelArgs: ['quiet'] } })).not.toThrow()
})
