import { expect, test } from 'vitest'
import type { MachineFiles } from './machine-files.ts'
import { sectionUse } from './section-use.ts'

const TITLES = [
  'Closest output',
  'What the guest said',
  'End of the console of "a"',
  'Command line',
  'Log',
  'Resume "a"',
]
const machine = { lines: [], commandLine: undefined, files: [] } as unknown as MachineFiles
const shown = {
  ...machine,
  lines: [{ time: 1, text: 'x' }],
  commandLine: 'qemu',
  files: [{ name: 'machine.coldboot', bytes: 1 }],
}

test('sections are omitted or folded if all machines show the same text', () => {
  const uses = (machines: readonly MachineFiles[]) => TITLES.map(sectionUse(machines))
  expect(uses([])).toEqual(TITLES.map(() => 'shown'))
  expect(uses([shown])).toEqual(['shown', 'folded', 'left out', 'left out', 'left out', 'left out'])
  expect(uses([shown, machine])).toEqual(['shown', 'shown', 'shown', 'shown', 'left out', 'left out'])
})
