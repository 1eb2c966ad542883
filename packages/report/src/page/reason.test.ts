import { expect, test } from 'vitest'
import { reasonOf } from './reason.ts'

function reason(...messages: readonly string[]): string | undefined {
  const errors = messages.map((message) => ({ name: 'Error', message, stack: [] }))
  return reasonOf([{ state: 'failed', label: '', errors, machines: [], guestTests: [] }])
}

test.for([
  ['"vm" did not print "x"\nMore.\n\nLog:\n  /log', '"vm" did not print "x"'],
  ['expect(vm).toEventuallyPrint("x")\n\n"vm" did not print "x"\nA hint.', '"vm" did not print "x"'],
  ['expect(received).toBe(expected)\n\nExpected: 1\nReceived: 2\n\nmore', 'Expected: 1, Received: 2'],
  ['expect(vm).toHavePrinted("x")', 'expect(vm).toHavePrinted("x")'],
] as const)('the reason of %j is %j', ([message, shown]) => {
  expect(reason(message)).toBe(shown)
})

test('counts further errors, and takes those of the last failed attempt', () => {
  expect(reason('one', 'two', 'three')).toBe('one (and 2 more)')
  expect(reason()).toBeUndefined()
  const attempt = { state: 'failed', label: '', machines: [], guestTests: [] } as const
  const error = (message: string) => ({ ...attempt, errors: [{ name: 'Error', message, stack: [] }] })
  expect(reasonOf([error('first'), error('second'), { ...attempt, state: 'passed', errors: [] }])).toBe('second')
})
