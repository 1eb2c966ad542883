import { describe, expect, test } from 'vitest'
import { JestError } from './jest-error.ts'

const FRAME = '    at /home/me/boot.test.js:1:1'

function errorWith(message: string): Error {
  const error = new TypeError(message)
  error.stack = `TypeError: ${message}\n${FRAME}`
  return error
}

describe('an error of Jest', () => {
  test('changes the message in its stack too, because Jest prints the stack', () => {
    const original = errorWith('at first')
    const error = new JestError([original, undefined])
    error.message += ' and then'
    expect(error.original).toBe(original)
    expect([original.message, original.stack]).toEqual(['at first and then', `TypeError: at first and then\n${FRAME}`])
  })

  test('keeps lines of the message that look like frames', () => {
    const original = errorWith('a trace:\n    at do_fork (/build/fork.c:1:2)\nand its end')
    new JestError(original).hideInner()
    expect(original.stack).toBe(`TypeError: ${original.message}\n${FRAME}`)
  })

  test('drops the frame of the matcher call in Jest', () => {
    const original = errorWith('no machine')
    original.stack += '\n    at __EXTERNAL_MATCHER_TRAP__ (/home/me/node_modules/expect/build/index.js:1:2)'
    new JestError(original).hideInner()
    expect(original.stack).toBe(`TypeError: no machine\n${FRAME}`)
  })

  test('is created with the stack of the test for a thrown value that is not an error', () => {
    const place = errorWith('defined here')
    const { original } = new JestError(['text', place])
    expect(original).toBeInstanceOf(Error)
    expect(original.stack).toBe(`thrown: "text"\n${FRAME}`)
  })

  test('is a copy of an error that cannot be changed', () => {
    class Computed extends Error {
      override get message(): string {
        return 'computed'
      }
    }
    for (const original of [Object.freeze(errorWith('frozen')), Object.seal(errorWith('sealed')), new Computed()]) {
      const error = new JestError([original, undefined])
      const before = original.message
      error.message += ' and then'
      error.cause = 'why'
      error.hideInner()
      expect(error.original).toMatchObject({ message: `${before} and then`, name: original.name, cause: 'why' })
      expect(error.original).toBeInstanceOf(original.constructor)
      expect(original.message).toBe(before)
    }
  })

  test('may have no stack, like errors of `node:assert`', () => {
    const original = { message: 'assert(received)' }
    const error = new JestError(original)
    error.message += '\nmore'
    error.hideInner()
    expect(original).toEqual({ message: 'assert(received)\nmore' })
  })
})
