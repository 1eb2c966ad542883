import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import { toEventuallyPrint } from './to-eventually-print.ts'
import { toHavePrinted } from './to-have-printed.ts'

describe('toHavePrinted', () => {
  test('passes when it was printed, and with .not shows what', () => {
    const { vm, calls } = scriptedMachine({ match: MATCH })
    const { pass, message } = toHavePrinted.call(contextOf({ isNot: true }), vm, /login/)
    expect(pass).toBe(true)
    expect(message()).toMatch(/^vm\.not\.toHavePrinted\(\/login\/\)\n\n"box" has printed "login: "\n/)
    expect(calls).toEqual([])
  })

  test('fails when it was not, with the console and what to use for waiting', () => {
    const { vm } = scriptedMachine({ code: 'EXPECT_TIMEOUT' })
    const { pass, message } = toHavePrinted.call(contextOf(), vm, ['panic', /oops/])
    expect(pass).toBe(false)
    expect(message()).toBe(`vm.toHavePrinted(any of "panic", /oops/)

"box" has not printed it, in 17 characters so far
This looks back only; for what is still to come, write \`await expect(vm).toEventuallyPrint(…)\`.

End of the console:
  Debian GNU/Linux

Command line:
  qemu -name box

Log:
  /logs/box`)
  })
})

describe('what is no machine is refused', () => {
  test.for([
    ['undefined', undefined, 'given undefined'],
    ['a string', 'vm', 'given the string "vm"'],
    ['a number', 1, 'given a number'],
    ['an object', new Map(), 'given an object of class Map'],
    ['an object without a prototype', Object.create(null), 'given an object of class Object'],
    ['a machine still being started', Promise.resolve(), 'Await it'],
  ] as const)('%s', async ([, received, message]) => {
    const refusal = expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) })
    expect(() => toHavePrinted.call(contextOf(), received, 'x')).toThrow(refusal)
    await expect(toEventuallyPrint.call(contextOf(), received, 'x')).rejects.toEqual(refusal)
  })
})
