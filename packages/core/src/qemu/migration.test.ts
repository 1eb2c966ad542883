import { expect, test } from 'vitest'
import { incomingState } from './migration.ts'

test('passes the saved state as a descriptor to an old QEMU, and as a descriptor set to a new one', () => {
  expect(incomingState('7.2.22')).toEqual({ args: [], uri: 'fd:6' })
  expect(incomingState('9.0.4')).toEqual({ args: [], uri: 'fd:6' })
  const set = { args: ['-add-fd', 'fd=6,set=1'], uri: 'file:/dev/fdset/1' }
  expect(incomingState('9.1.0')).toEqual(set)
  expect(incomingState('11.1.3')).toEqual(set)
})
