import { expect, test } from 'vitest'
import { qemuArgsOf } from '../../test/device-arguments.ts'
import { pvpanic } from './pvpanic.ts'

test('the whole of its arguments; an s390x needs none', () => {
  expect(qemuArgsOf(pvpanic())).toEqual(['-device', 'pvpanic-pci'])
  expect(qemuArgsOf(pvpanic(), { arch: 's390x' })).toEqual([])
})
