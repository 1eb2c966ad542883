import fc from 'fast-check'
import { expect, test } from 'vitest'
import { optionString } from './option-string.ts'

test('omits undefined, writes booleans as on and off, and the head first', () => {
  expect(optionString('socket', { id: 'a', server: false, wait: true, port: 1, path: undefined })).toBe(
    'socket,id=a,server=off,wait=on,port=1',
  )
  expect(optionString(undefined, { guest: 'vm' })).toBe('guest=vm')
})

test('escapes any value so that QEMU parses it back unchanged', () => {
  fc.assert(
    fc.property(fc.array(fc.string().map((text) => text.replaceAll('\0', ''))), (values) => {
      const text = optionString('head', Object.fromEntries(values.map((value, index) => [`k${index}`, value])))
      // A single comma is a separator, and two commas are an escaped one (util/keyval.c).
      const parts = text
        .replaceAll(',,', '\0')
        .split(',')
        .map((part) => part.replaceAll('\0', ','))
      expect(parts).toEqual(['head', ...values.map((value, index) => `k${index}=${value}`)])
    }),
  )
})

test('rejects a NUL', () => {
  expect(() => optionString('file', { path: 'a\0b' })).toThrow(/NUL/)
})
