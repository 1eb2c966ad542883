import { expect, test } from 'vitest'
import { checkLabel } from './label.ts'

test.for([
  ['EFI', 'EFI'],
  ['my disk', 'MY DISK'],
  ['A-b_c!1', 'A-B_C!1'],
  ['elevenchars', 'ELEVENCHARS'],
] as const)('stores "%s" as "%s"', ([label, stored]) => {
  expect(checkLabel(label)).toBe(stored)
})

test.for([
  ['', 'it is empty'],
  ['  ', 'it is empty'],
  ['twelve chars', 'it has 12 characters'],
  [' a', 'it begins or ends with a blank'],
  ['a.b', 'it has "."'],
  ['a/b', 'it has "/"'],
  ['é', 'it has "é"'],
  ['a\tb', 'it has "\\t"'],
] as const)('refuses "%s": %s', ([label, reason]) => {
  expect(() => checkLabel(label)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', shortMessage: expect.stringContaining(reason) }),
  )
})
