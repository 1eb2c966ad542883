import { expect, test } from 'vitest'
import type { RunningMachine } from '../running-machine.ts'
import { saveMachine } from './save-machine.ts'
import type { StoppedGuest } from './stopped-machine.ts'

test.each([
  ['/nonexistent/saved/machine.coldboot', 'FILE_MISSING', 'save: `directory` does not exist: /nonexistent/saved'],
  ['', 'INVALID_OPTION', 'save: `file` must be a path, but is ""'],
])('the file "%s" is refused before the machine is stopped', async (file, code, shortMessage) => {
  const saving = saveMachine({} as RunningMachine, {} as StoppedGuest, file, {})
  await expect(saving).rejects.toMatchObject({ code, shortMessage })
})
