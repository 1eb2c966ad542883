import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { endLiveMachines, liveMachines, registerMachine } from './live-machines.ts'

test('kills all machines and removes their files, even if the first one fails', () => {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const killed: string[] = []
  registerMachine({
    name: 'broken',
    directory: '\0',
    kill() {
      killed.push('broken')
      throw new Error('not permitted')
    },
  })
  registerMachine({ name: 'unremovable', directory: '\0', kill: () => void killed.push('unremovable') })
  registerMachine({ name: 'sound', directory, kill: () => void killed.push('sound') })
  expect(() => endLiveMachines()).toThrow('not permitted')
  expect(killed).toEqual(['broken', 'unremovable', 'sound'])
  expect(existsSync(directory)).toBe(false)
  expect(liveMachines()).toEqual([])
  expect(() => endLiveMachines()).not.toThrow()
})
