import { display } from '@coldboot/core'
import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../test/scripted-machine.ts'
import { toEventuallyPrint } from './to-eventually-print.ts'
import { toHavePrinted } from './to-have-printed.ts'

describe('toHavePrinted', () => {
  test('passes when the pattern was printed, and with .not shows the match', () => {
    const { vm, calls } = scriptedMachine({ match: MATCH })
    const { pass, message } = toHavePrinted.call(contextOf({ isNot: true }), vm, /login/)
    expect(pass).toBe(true)
    expect(message()).toMatch(/^vm\.not\.toHavePrinted\(\/login\/\)\n\n"box" has printed "login: "\n/)
    expect(calls).toEqual([])
  })

  test('fails when the pattern was not printed, with the console and a hint for waiting', () => {
    const { vm } = scriptedMachine({ code: 'EXPECT_TIMEOUT' })
    const { pass, message } = toHavePrinted.call(contextOf(), vm, ['panic', /oops/])
    expect(pass).toBe(false)
    expect(message()).toBe(`vm.toHavePrinted(any of "panic", /oops/)

"box" has not printed it in the 17 characters so far
This matcher does not wait. To wait for the text, use \`await expect(vm).toEventuallyPrint(…)\`.

End of the console:
  Debian GNU/Linux

Command line:
  qemu -name box

Log:
  /logs/box`)
  })
})

describe('a matcher refuses to test', () => {
  test.for([
    ['undefined', undefined, 'got undefined'],
    ['a string', 'vm', 'got the string "vm"'],
    ['a number', 1, 'got a number'],
    ['an object of a class', new Map(), 'got an instance of Map'],
    ['an object without a prototype', Object.create(null), 'got an empty object'],
    ['an object', { width: 1, height: 2 }, 'got an object with the properties width, height\nPass the `VM` itself.'],
    ['a list', [1], 'got a list'],
    ['a device', display(), 'got the device display\nPass the machine that has the device: `expect(vm)`.'],
    ['the promise of a machine', Promise.resolve(), 'Await the promise'],
  ] as const)('%s', async ([, received, message]) => {
    const refusal = expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(message) })
    expect(() => toHavePrinted.call(contextOf(), received, 'x')).toThrow(refusal)
    await expect(toEventuallyPrint.call(contextOf(), received, 'x')).rejects.toEqual(refusal)
  })
})
