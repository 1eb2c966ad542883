import { expect, test } from 'vitest'
import { resolveArtifacts } from './artifact-options.ts'

test('the defaults keep the files of failed attempts, 16 MiB of each', () => {
  expect(resolveArtifacts({})).toEqual({ retain: 'on-failure', maxBytes: 16 * 2 ** 20, redact: [] })
})

test.for([
  [{ retian: 'never' }, 'UNKNOWN_OPTION', 'retian'],
  [{ retain: 'sometimes' }, 'INVALID_OPTION', 'retain'],
  [{ maxBytes: 10 }, 'INVALID_OPTION', 'maxBytes'],
  [{ redact: 'secret' }, 'INVALID_OPTION', 'redact'],
] as const)('%o is rejected with %s', ([options, code, name]) => {
  const error = expect.objectContaining({ code, message: expect.stringContaining(`\`${name}\``) })
  expect(() => resolveArtifacts(options as object)).toThrow(error)
})
