import { expect, test } from 'vitest'
import { arbitraryArgs } from './arbitrary-args.ts'

test('refuses an option and its value in one string, and says how to write them', () => {
  expect(() => arbitraryArgs('-device edu,id=x')).toThrow(
    'arbitraryArgs: "-device edu,id=x" is an option with its value\n' +
      "Pass two strings: arbitraryArgs('-device', 'edu,id=x').",
  )
  expect(() => arbitraryArgs('-fw_cfg', 'name=opt/a,string=-x y')).not.toThrow()
})
