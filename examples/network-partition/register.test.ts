import { expect, test } from '@coldboot/vitest'
import { checkRegister, type Operation } from './register.ts'

const write = (value: string, start: number, end: number): Operation => ({
  node: 'n1',
  kind: 'write',
  value,
  start,
  end,
})
const read = (value: string, start: number, end: number): Operation => ({ node: 'n2', kind: 'read', value, start, end })

test.for<[string, Operation[]]>([
  [
    'the old and then the new value during a write',
    [write('a', 0, 1), write('b', 2, 9), read('a', 3, 4), read('b', 5, 6)],
  ],
  [
    'the value of a write without an answer',
    [write('a', 0, 1), write('b', 2, Infinity), read('a', 3, 4), read('b', 8, 9)],
  ],
  [
    'other values after a write without an answer',
    [write('a', 0, 1), write('b', 2, Infinity), write('c', 3, 4), read('c', 5, 6)],
  ],
])('accepts reads of %s', ([, history]) => {
  checkRegister(history)
})

test.for<[string, Operation[], RegExp]>([
  [
    'replaced',
    [write('a', 0, 1), write('b', 2, 3), read('a', 4, 5)],
    /^n2 read "a" after "b" had replaced it:\n {2}0 to 1 ms: n1, write "a"/,
  ],
  [
    'replaced by a write without an answer',
    [write('a', 0, 1), write('b', 2, Infinity), read('b', 3, 4), read('a', 5, 6)],
    /"a" after "b"/,
  ],
  ['read before it is written', [read('a', 0, 1), write('a', 2, 3)], /^n2 read "a" that was not written/],
  ['never written', [write('a', 0, 1), read('b', 2, 3)], /"b" that was not written/],
])('refuses a read of a value that is %s', ([, history, message]) => {
  expect(() => checkRegister(history)).toThrow(message)
})
