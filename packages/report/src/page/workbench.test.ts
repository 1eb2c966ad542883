import { expect, test } from 'vitest'
import type { MachineFiles } from './machine-files.ts'
import { workbenchOf } from './workbench.ts'

const png = Buffer.from('x')
const machine = { steps: [], qmp: [], screens: [], film: [], lines: [], replay: undefined } as unknown as MachineFiles

test('lasts until the last entry of any of its parts', () => {
  const ends = [
    { replay: { cast: '', duration: 3 } },
    { lines: [{ time: 4, text: '' }] },
    { steps: [{ time: 5, kind: 'send', text: '' }] },
    { film: [{ time: 6, display: 1, file: '', png }] },
  ]
  expect([{}, ...ends].map((part) => workbenchOf({ ...machine, ...part }).end)).toEqual([0, 3, 4, 5, 6])
})

test('the screenshots at the end are the last frames of their displays, at the failure', () => {
  const { frames, pictures, failure } = workbenchOf({
    ...machine,
    steps: [{ time: 5, kind: 'error', text: 'x', ok: false }],
    film: [
      { time: 1, display: 1, file: '000001.png', png },
      { time: 7, display: 1, file: '000002.png', png },
    ],
    screens: ['menu.actual.png', 'screen-2.png', 'screen.png'].map((name) => ({ name, png })),
  })
  expect(failure?.time).toBe(5)
  expect(frames.map(({ time, display, file }) => [time, display, file])).toEqual([
    [1, 1, '000001.png'],
    [5, 2, 'screen-2.png'],
    [7, 1, '000002.png'],
    [7, 1, 'screen.png'],
  ])
  expect(pictures.map(({ name }) => name)).toEqual(['menu.actual.png'])
})
