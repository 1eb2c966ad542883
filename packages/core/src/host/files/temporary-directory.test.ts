import { tmpdir } from 'node:os'
import { afterEach, expect, test, vi } from 'vitest'
import { temporaryDirectory } from './temporary-directory.ts'

afterEach(() => vi.unstubAllEnvs())

test('TMPDIR is used where it is absolute', () => {
  expect(temporaryDirectory()).toBe(tmpdir())
  vi.stubEnv('TMPDIR', '/var/tmp')
  expect(temporaryDirectory()).toBe('/var/tmp')
})

test('a relative TMPDIR, which would be a folder of the project, is not used', () => {
  vi.stubEnv('TMPDIR', 'scratch')
  expect(temporaryDirectory()).toBe('/tmp')
})
