import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AttemptMachines } from '@coldboot/runner/attempt'
import { expect, onTestFinished, type RunnerTestCase, test, vi } from 'vitest'
import { clockOf, keepTime } from './keep-time.ts'
import { TestMachines } from './test-machines.ts'

/** The machines of a failed test, and the calls of their cleanup. */
function newMachines() {
  const root = mkdtempSync(join(tmpdir(), 'coldboot-machines-'))
  const task = {
    type: 'test',
    name: 'boots',
    context: { signal: new AbortController().signal },
    file: { filepath: join(root, 'boot.test.ts'), name: 'boot.test.ts', tasks: [] },
    result: undefined as object | undefined,
    meta: {},
  }
  const given = task as unknown as RunnerTestCase
  keepTime(given, 0, new Error('definition'))
  const annotate = (async () => {}) as never
  const machines = new TestMachines({ task: given, annotate }, {}, {})
  task.result = { state: 'fail', errors: [{ message: 'failed' }] }
  const ended: string[] = []
  const { prototype } = AttemptMachines
  vi.spyOn(prototype, 'end').mockImplementation(async () => void ended.push('end'))
  vi.spyOn(prototype, 'keep').mockImplementation(async (messages) => {
    ended.push(...messages)
    return []
  })
  onTestFinished(() => {
    vi.restoreAllMocks()
    rmSync(root, { recursive: true })
  })
  return { machines, ended, clock: clockOf(given) }
}

test.each(['saveMachines', 'redact', 'captureFailure', 'debugFailure', 'end'] as const)(
  'ends the machines and keeps their files if %s throws',
  async (step) => {
    const { machines, ended, clock } = newMachines()
    vi.spyOn(AttemptMachines.prototype, step).mockImplementation(() => {
      if (step === 'end') ended.push('end')
      throw new Error('EIO')
    })
    await expect(machines.finish()).rejects.toThrow('EIO')
    expect(ended).toEqual(['end', 'failed'])
    expect(clock.waits.reason).toMatchObject({ code: 'TEST_ENDED' })
  },
)
