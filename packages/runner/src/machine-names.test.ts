import { expect, test } from 'vitest'
import { MachineNames } from './machine-names.ts'

test('gives the first VM the base name, and a number to later ones', () => {
  const names = new MachineNames()
  expect([names.take(undefined, 'vm'), names.take(undefined, 'vm'), names.take(undefined, 'vm')]).toEqual([
    'vm',
    'vm-2',
    'vm-3',
  ])
})

test('skips a number whose name is already used', () => {
  const names = new MachineNames()
  names.take('vm-2', 'vm')
  names.take(undefined, 'vm')
  expect(names.take(undefined, 'vm')).toBe('vm-3')
})

test('rejects a name that is requested twice', () => {
  const names = new MachineNames()
  names.take('server', 'vm')
  expect(() => names.take('server', 'vm')).toThrow(
    expect.objectContaining({ code: 'NAME_CONFLICT', message: expect.stringContaining('"server"') }),
  )
})
