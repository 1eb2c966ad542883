import { expect, test } from 'vitest'
import { qemuArgsOf } from '../../test/device-arguments.ts'
import { pvpanic } from './pvpanic.ts'

test('passes exactly these arguments to QEMU, and none on s390x', () => {
  expect(qemuArgsOf(pvpanic())).toEqual(['-device', 'pvpanic-pci'])
  expect(qemuArgsOf(pvpanic(), { arch: 's390x' })).toEqual([])
})
