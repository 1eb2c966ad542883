import { expect, test } from 'vitest'
import { choicesOf, facetsOf } from './facets.ts'
import type { MachineFiles } from './machine-files.ts'

const machine = (name: string, arch: string) =>
  ({
    name,
    facts: [
      ['Architecture', arch],
      ['Memory', name],
    ],
  }) as unknown as MachineFiles

test('machine names and facts become filters if they differ between tests', () => {
  const both = facetsOf([machine('server', 'x86_64'), machine('client', 'x86_64')])
  expect(both).toEqual({ Machine: ['server', 'client'], Architecture: ['x86_64'] })
  expect(choicesOf([both, facetsOf([machine('vm', 'x86_64')]), {}])).toEqual({ Machine: ['client', 'server', 'vm'] })
})
