import { afterEach, expect, test, vi } from 'vitest'
import { examine } from './doctor.ts'

afterEach(() => {
  vi.unstubAllEnvs()
})

const stateOf = async (what: string): Promise<string | undefined> =>
  (await examine()).find((finding) => finding.what === what)?.state

// Even root cannot create a folder in /proc, although its permissions seem to allow it.
test.runIf(process.platform === 'linux').each([
  ['Cache', 'COLDBOOT_CACHE'],
  ['Temporary files', 'TMPDIR'],
])('%s: a folder that cannot be written is missing', async (what, variable) => {
  expect(await stateOf(what)).toBe('fine')
  vi.stubEnv(variable, '/proc/nowhere')
  expect(await stateOf(what)).toBe('missing')
})
