import { expect, test } from 'vitest'
import { errorReport } from './reported-stack.ts'

test('splits a stack into the name, the message and the frames of user code', () => {
  const stack = `ExpectError: "vm" did not print "never"
Nothing was printed.

    at Object.<anonymous> (/home/me/boot.test.js:14:14)
    at file:///home/me/own.mjs:3:1
    at run (/home/me/node_modules/jest-circus/build/index.js:1:2)
    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)`
  expect(errorReport(stack)).toEqual({
    name: 'ExpectError',
    message: '"vm" did not print "never"\nNothing was printed.',
    stack: [
      { file: '/home/me/boot.test.js', line: 14, column: 14, method: 'Object.<anonymous>' },
      { file: '/home/me/own.mjs', line: 3, column: 1, method: undefined },
    ],
  })
})

test('keeps lines of the message that look like frames, for example of a kernel', () => {
  const message = 'A trace was printed:\n  at do_fork (/build/kernel/fork.c:12:3)\nand that was all'
  expect(errorReport(`${message}\n    at /home/me/boot.test.js:1:1`)).toMatchObject({
    name: 'Error',
    message,
    stack: [{ file: '/home/me/boot.test.js', line: 1, column: 1 }],
  })
})

test('removes colors', () => {
  expect(errorReport('\u001b[2mexpect(\u001b[22mvm)').message).toBe('expect(vm)')
})

test('accepts a text without frames, and an empty text', () => {
  expect(errorReport('thrown: "text"')).toEqual({ name: 'Error', message: 'thrown: "text"', stack: [] })
  expect(errorReport('')).toEqual({ name: 'Error', message: '', stack: [] })
})
