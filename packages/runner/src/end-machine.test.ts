import type { VM } from '@coldboot/core'
import { expect, test } from 'vitest'
import { endMachine } from './end-machine.ts'

test('a machine that cannot be closed does not keep its checkpoints and their machines', async () => {
  const ended: string[] = []
  const ends = (name: string, error?: Error) => async () => {
    ended.push(name)
    if (error) throw error
  }
  const machine = (name: string, checkpoints: readonly object[] = [], error?: Error): VM =>
    ({ close: ends(name, error), checkpoints }) as unknown as VM
  const checkpoint = (name: string, machines: readonly VM[], error?: Error): object => ({
    machines,
    remove: ends(name, error),
  })
  const first = checkpoint('first', [machine('copy', [], new Error('copy'))], new Error('first'))
  const second = checkpoint('second', [machine('other copy')])
  await expect(endMachine(machine('vm', [first, second], new Error('vm')))).rejects.toThrow('vm')
  expect(ended).toEqual(['vm', 'copy', 'first', 'other copy', 'second'])
})
