import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AttemptMachines } from '@coldboot/runner/attempt'
import type { Circus } from '@jest/types'
import { expect, onTestFinished, test, vi } from 'vitest'
import { TestAttempt } from './test-attempt.ts'

/** An attempt that has requested a machine, and calls of the cleanup. The request fails before any process is started. */
async function newAttempt(errors: readonly unknown[]) {
  const root = mkdtempSync(join(tmpdir(), 'coldboot-attempt-'))
  const block = { name: 'ROOT', children: [] as unknown[] }
  const entry = { name: 'boots', parent: block, errors, invocations: 1, type: 'test' } as unknown as Circus.TestEntry
  block.children.push(entry)
  const attempt = new TestAttempt(entry, { root, file: 'boot.test.js', project: undefined, options: {} })
  const request = attempt.boot({ unknown: true } as object, new Error('here'))
  await expect(request).rejects.toMatchObject({ code: 'UNKNOWN_OPTION' })
  const { prototype } = AttemptMachines
  const ended: string[] = []
  vi.spyOn(prototype, 'end').mockImplementation(async () => void ended.push('end'))
  vi.spyOn(prototype, 'keep').mockImplementation(async (messages) => {
    ended.push(...messages)
    return []
  })
  onTestFinished(() => {
    vi.restoreAllMocks()
    rmSync(root, { recursive: true })
  })
  return { attempt, entry, ended }
}

test('ends the machines of a test that throws a frozen error, and reports the error', async () => {
  const frozen = Object.freeze(new TypeError('frozen'))
  const { attempt, entry, ended } = await newAttempt([[frozen, undefined]])
  await attempt.finish()
  expect(ended).toEqual(['end', 'frozen'])
  expect(entry.errors).toEqual([expect.objectContaining({ name: 'TypeError', message: 'frozen' })])
})

test('ends the machines and keeps their files if a failure cannot be recorded', async () => {
  const { attempt, ended } = await newAttempt([[new Error('failed'), undefined]])
  vi.spyOn(AttemptMachines.prototype, 'debugFailure').mockRejectedValue(new Error('EIO'))
  await expect(attempt.finish()).rejects.toThrow('EIO')
  expect(ended).toEqual(['end', 'failed'])
})

test('keeps the files of an interrupted test if a machine cannot be ended', async () => {
  const { attempt, ended } = await newAttempt([])
  vi.spyOn(AttemptMachines.prototype, 'end').mockRejectedValue(new Error('EIO'))
  await expect(attempt.interrupt()).rejects.toThrow('EIO')
  expect(ended).toEqual(['"boots" was interrupted'])
})
