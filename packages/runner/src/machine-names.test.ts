import { expect, test } from 'vitest'
import { MachineNames } from './machine-names.ts'

test('the first machine has the base name, the next ones a number', () => {
  const names = new MachineNames()
  expect([names.take(undefined, 'vm'), names.take(undefined, 'vm'), names.take(undefined, 'vm')]).toEqual([
    'vm',
    'vm-2',
    'vm-3',
  ])
})

test('a number goes around a name that is taken', () => {
  const names = new MachineNames()
  names.take('vm-2', 'vm')
  names.take(undefined, 'vm')
  expect(names.take(undefined, 'vm')).toBe('vm-3')
})

test('a name asked for twice is rejected', () => {
  const names = new MachineNames()
  names.take('server', 'vm')
  expect(() => names.take('server', 'vm')).toThrow(
    expect.objectContaining({ code: 'NAME_CONFLICT', message: expect.stringContaining('"server"') }),
  )
})
