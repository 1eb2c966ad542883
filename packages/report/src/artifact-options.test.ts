import { expect, onTestFinished, test, vi } from 'vitest'
import { resolveArtifacts } from './artifact-options.ts'

test('by default, files of failed attempts are kept, up to 16 MiB each', () => {
  expect(resolveArtifacts({})).toEqual({
    ...{ retain: 'on-failure', maxBytes: 16 * 2 ** 20, redact: [], film: 'never' },
    ...{ machine: 'never', vmcore: false, unredactedMachine: false, machineMaxBytes: 2 ** 30 },
  })
})

test('COLDBOOT_KEEP=machine saves the machines of failed attempts by default', () => {
  vi.stubEnv('COLDBOOT_KEEP', 'machine')
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(resolveArtifacts({ maxBytes: 5000 })).toMatchObject({ machine: 'on-failure', machineMaxBytes: 5000 })
  expect(resolveArtifacts({ machine: 'never' })).toMatchObject({ machine: 'never' })
})

test('machines with secrets are only saved with `unredactedMachine`', () => {
  const options = { machine: 'always', redact: ['secret'] } as const
  expect(() => resolveArtifacts(options)).toThrow(/unredactedMachine/)
  expect(resolveArtifacts({ ...options, unredactedMachine: true }).machine).toBe('always')
  expect(() => resolveArtifacts({ vmcore: true, redact: ['secret'] })).toThrow(/of a `vmcore` may contain the secrets/)
  // The empty string of an unset variable is not a secret.
  expect(resolveArtifacts({ ...options, redact: [''] }).machine).toBe('always')
})

test.for([
  [{ retian: 'never' }, 'UNKNOWN_OPTION', 'Unknown option `retian`; did you mean `retain`?'],
  [{ retain: 'sometimes' }, 'INVALID_OPTION', '`retain` must be one of on-failure, always, never, but is "sometimes"'],
  [{ maxBytes: 10 }, 'INVALID_OPTION', '`maxBytes` must be'],
  [{ redact: 'secret' }, 'INVALID_OPTION', '`redact` must be'],
  [{ machine: 'sometimes' }, 'INVALID_OPTION', '`machine` must be'],
] as const)('%o is rejected with %s', ([options, code, message]) => {
  const error = expect.objectContaining({ code, message: expect.stringContaining(`artifacts: ${message}`) })
  expect(() => resolveArtifacts(options as object)).toThrow(error)
})
