import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { admit } from './admission.ts'

// Mocked, because all processes of this user share the file watchers of the system, so a test must not use them up.
vi.mock('node:fs', async (original) => ({
  ...(await original<typeof import('node:fs')>()),
  watch() {
    throw Object.assign(new Error('EMFILE: too many open files, watch'), { code: 'EMFILE' })
  },
}))

test('works by polling if the system has no file watchers left', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  const request = { memoryMib: 256, limits: { maxMachines: 1, memoryMib: 1024 }, directory }
  const first = await admit(request)
  const ahead: number[] = []
  const second = admit({ ...request, onWait: (count) => ahead.push(count) })
  first[Symbol.dispose]()
  using _second = await second
  expect(ahead).toEqual([1])
})
