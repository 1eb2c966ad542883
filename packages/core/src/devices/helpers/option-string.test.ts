import fc from 'fast-check'
import { expect, test } from 'vitest'
import { optionString } from './option-string.ts'

test('undefined is left out, booleans are on and off, the head comes first', () => {
  expect(optionString('socket', { id: 'a', server: false, wait: true, port: 1, path: undefined })).toBe(
    'socket,id=a,server=off,wait=on,port=1',
  )
  expect(optionString(undefined, { guest: 'vm' })).toBe('guest=vm')
})

test("no value can add an option: parsed by QEMU's rule, each comes back as it was", () => {
  fc.assert(
    fc.property(fc.array(fc.string().map((text) => text.replaceAll('\0', ''))), (values) => {
      const text = optionString('head', Object.fromEntries(values.map((value, index) => [`k${index}`, value])))
      // A single comma separates, two stand for one: util/keyval.c.
      const parts = text
        .replaceAll(',,', '\0')
        .split(',')
        .map((part) => part.replaceAll('\0', ','))
      expect(parts).toEqual(['head', ...values.map((value, index) => `k${index}=${value}`)])
    }),
  )
})

test('a NUL is refused', () => {
  expect(() => optionString('file', { path: 'a\0b' })).toThrow(/NUL/)
})
