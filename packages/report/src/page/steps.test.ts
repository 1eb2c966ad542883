import { expect, test } from 'vitest'
import type { MachineFiles, MachineStep } from './machine-files.ts'
import { failureIn, stepsOf } from './steps.ts'

function stepsFrom(steps: readonly MachineStep[], qmp: MachineFiles['qmp'] = []) {
  return stepsOf({ steps, qmp } as MachineFiles)
}

const wait = { id: 'expect-1', pattern: '"x"', location: '/t.ts:5:20' }

test('an action is one step from its start to its outcome', () => {
  const steps = stepsFrom([
    { time: 1, kind: 'expect', text: '"x"', ...wait },
    { time: 2, kind: 'send', text: 'typed' },
    { time: 3, kind: 'match', text: 'x', ...wait, duration: 2_000, ok: true },
    { time: 4, kind: 'command', text: 'false', id: 'command-1' },
    { time: 5, kind: 'result', text: 'exit code 1: false', id: 'command-1', ok: false },
    { time: 6, kind: 'command', text: 'sleep 9', id: 'command-2' },
    { time: 7, kind: 'checkpoint', text: 'a', duration: 500 },
  ])
  expect(steps.map(({ kind, from, time, failed }) => [kind, from, time, failed])).toEqual([
    ['send', 2, 2, false],
    ['match', 1, 3, false],
    ['result', 4, 5, false],
    ['command', 6, 6, false],
    ['checkpoint', 6.5, 7, false],
  ])
  expect(failureIn(steps)).toBeUndefined()
})

test.for<[string, MachineStep, MachineStep, string]>([
  [
    'an error of a matcher on the line of its wait',
    { time: 2, kind: 'timeout', text: '"vm" did not print "x"', ...wait, ok: false },
    { time: 2.1, kind: 'error', text: 'expect(vm).toEventuallyPrint("x")', ok: false, location: '/t.ts:5:3' },
    'timeout',
  ],
  [
    'an error with the sentence of its wait',
    { time: 2, kind: 'timeout', text: '"vm" did not print "x" within 1 s', ok: false },
    { time: 2.1, kind: 'error', text: 'The boot took too long. "vm" did not print "x" within 1 s', ok: false },
    'timeout',
  ],
  [
    'the incident that ended a wait',
    { time: 2, kind: 'failure', text: '"vm" panicked while "x" was awaited: Kernel panic - oh', ok: false },
    { time: 2.1, kind: 'incident', text: 'panic: Kernel panic - oh', ok: false },
    'failure',
  ],
  [
    'the error of a failed command, although it is reported later',
    { time: 2, kind: 'result', text: 'exit code 1: test -e /x', ok: false },
    { time: 9, kind: 'error', text: 'The command `test -e /x` in "vm" failed with exit code 1', ok: false },
    'result',
  ],
])('%s belongs to the same failure', ([, cause, report, kind]) => {
  const steps = stepsFrom([{ time: 1, kind: 'send', text: 'y' }, cause, report])
  expect(steps.map((step) => [step.kind, step.failed])).toEqual([
    ['send', false],
    [kind, true],
  ])
  expect(failureIn(steps)?.time).toBe(2)
})

test('errors and incidents without a failed wait are separate failures, unless they are allowed', () => {
  const steps = stepsFrom([
    { time: 1, kind: 'match', text: 'x', ...wait, ok: true },
    { time: 2, kind: 'error', text: 'expected 1 to be 2', ok: false, location: '/t.ts:5:3' },
    { time: 3, kind: 'incident', text: 'panic: one', ok: false },
    { time: 4, kind: 'incident', text: 'panic: two', ok: true },
    { time: 5, kind: 'timeout', text: 'long after it: one', ok: false },
  ])
  expect(steps.map(({ kind, failed }) => [kind, failed])).toEqual([
    ['match', false],
    ['error', true],
    ['incident', true],
    ['incident', false],
    ['timeout', true],
  ])
})

test('events are taken from the QMP messages if the timeline has none', () => {
  const steps = stepsFrom(
    [{ time: 2, kind: 'send', text: 'x' }],
    [
      { time: 1, direction: 'received', message: { event: 'RESUME' } },
      { time: 1.5, direction: 'received', message: { return: {} } },
      { time: 3, direction: 'received', message: { event: 'SHUTDOWN', data: { guest: true } } },
    ],
  )
  expect(steps.map(({ text }) => text)).toEqual(['RESUME', 'x', 'SHUTDOWN {"guest":true}'])
})
