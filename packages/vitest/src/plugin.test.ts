import { expect, onTestFinished, test, vi } from 'vitest'
import { linuxGuest } from './index.ts'
import { coldboot } from './plugin.ts'

/** The configuration that the plugin adds. */
function configured(plugin: ReturnType<typeof coldboot>, config: object): unknown {
  const hook = plugin.config
  return typeof hook === 'function' ? Reflect.apply(hook, undefined, [config, {}]) : undefined
}

test('extends the default hookTimeout by the duration of a boot, and testTimeout to that of several waits', () => {
  expect(configured(coldboot(), {})).toEqual({ test: { hookTimeout: 70_000, testTimeout: 30_000 } })
  const vm = { bootTimeout: 5_000, timeout: 20_000 }
  expect(configured(coldboot({ vm }), { test: {} })).toEqual({ test: { hookTimeout: 15_000, testTimeout: 80_000 } })
})

test('multiplies hookTimeout like the boot in it: by the option, or else by the environment', () => {
  vi.stubEnv('COLDBOOT_TIMEOUT_MULTIPLIER', '3')
  onTestFinished(() => {
    vi.unstubAllEnvs()
  })
  // The clock of a test multiplies testTimeout.
  expect(configured(coldboot(), {})).toEqual({ test: { hookTimeout: 210_000, testTimeout: 30_000 } })
  const vm = { timeoutMultiplier: 2, timeout: 10_000 }
  expect(configured(coldboot({ vm }), {})).toEqual({ test: { hookTimeout: 140_000, testTimeout: 80_000 } })
  const endless = { bootTimeout: 2 ** 31, timeoutMultiplier: 1.5 }
  expect(configured(coldboot({ vm: endless }), {})).toMatchObject({ test: { hookTimeout: 2 ** 31 - 1 } })
})

test('keeps the timeouts of the configuration', () => {
  const set = { test: { hookTimeout: 1_000, testTimeout: 2_000 } }
  expect(configured(coldboot(), set)).toEqual(set)
})

test.each([
  [{ artefacts: {} }, 'UNKNOWN_OPTION', 'coldboot: Unknown option `artefacts`; did you mean `artifacts`?'],
  [{ vm: { memroy: '1G' } }, 'UNKNOWN_OPTION', 'Unknown option `memroy`; did you mean `memory`?'],
  [{ vm: { memory: '1' } }, 'INVALID_OPTION', '`memory` must be a size'],
  [{ vm: { ...(linuxGuest() as object) } }, 'INVALID_OPTION', 'a promise that was spread without `await`'],
  [{ vm: 'x' }, 'INVALID_OPTION', 'coldboot: `vm` must be an object, but is "x"'],
])('refuses %o when the configuration is read', (options, code, message) => {
  expect(() => coldboot(options as object)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

test('refuses options that cannot be sent to the workers, with a hint where to set them', () => {
  // @ts-expect-error the type has no such option
  expect(() => coldboot({ vm: { signal: new AbortController().signal } })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('test.override') }),
  )
  expect(() => coldboot({ vm: { ready: /login: /, kernelArgs: ['quiet'] } })).not.toThrow()
})
