import { expect, test } from 'vitest'
import { resolveArtifacts } from './artifact-options.ts'

test('nothing said: everything of failed attempts, 16 MiB of each file', () => {
  expect(resolveArtifacts({})).toEqual({ retain: 'on-failure', maxBytes: 16 * 2 ** 20, redact: [] })
})

test.for([
  [{ retian: 'never' }, 'UNKNOWN_OPTION', 'retian'],
  [{ retain: 'sometimes' }, 'INVALID_OPTION', 'retain'],
  [{ maxBytes: 10 }, 'INVALID_OPTION', 'maxBytes'],
  [{ redact: 'secret' }, 'INVALID_OPTION', 'redact'],
] as const)('%o is refused as %s', ([options, code, name]) => {
  const error = expect.objectContaining({ code, message: expect.stringContaining(`\`${name}\``) })
  expect(() => resolveArtifacts(options as object)).toThrow(error)
})
