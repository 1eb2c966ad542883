import { expect, test } from 'vitest'
import { Checkpoint } from '../machine/checkpoint.ts'
import type { Snapshot } from '../machine/save/snapshot.ts'
import { checkVMOptions } from './vm-options.ts'

const from = new Checkpoint('checkpoint 1', {} as Snapshot, () => Promise.reject(new Error('not started')))

test('`from` is refused with an option that is part of the state of the checkpoint', () => {
  expect(() => checkVMOptions({ from, timeout: 5, maxMachines: 2, memory: undefined })).not.toThrow()
  for (const option of [{ memory: '1G' }, { prepare: () => {} }, { pool: true }] as const) {
    expect(() => checkVMOptions({ from, ...option })).toThrow(
      `\`${Object.keys(option)[0]}\` cannot be combined with \`from\`: the machine continues as the one of the checkpoint\n` +
        'The options with `from` are name, serialOutput,',
    )
  }
})
