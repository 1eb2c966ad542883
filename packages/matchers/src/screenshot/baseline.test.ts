import { describe, expect, test } from 'vitest'
import { contextOf, MATCH, scriptedMachine } from '../../test/scripted-machine.ts'
import type { MatcherContext } from '../matcher-context.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { account, baselinePath, updateMode } from './baseline.ts'

const machine = (name = 'vm'): MatcherVM => ({ ...scriptedMachine({ match: MATCH }).vm, name })
const inTest = (currentTestName: string): MatcherContext => ({
  ...contextOf(),
  testPath: '/a/b.test.ts',
  currentTestName,
})
const fileOf = (testName: string, vm = machine()): string => baselinePath(inTest(testName), vm, undefined)

describe('the path of a screenshot', () => {
  test('is beside the test file and contains the test name', () => {
    expect(fileOf('menu > shows entries')).toBe('/a/__screenshots__/b.test.ts/menu--shows-entries.png')
    expect(baselinePath(inTest('x'), machine(), 'boot menu.png')).toBe('/a/__screenshots__/b.test.ts/boot menu.png')
  })

  test('is unique for each machine and each of its screenshots', () => {
    const [vm, other] = [machine(), machine('server')]
    expect([fileOf('x', vm), fileOf('x', other), fileOf('x', vm)].map((path) => path.split('/').at(-1))).toEqual([
      'x.png',
      'x-server.png',
      'x-2.png',
    ])
  })

  test('is unique for test names that differ only in characters unfit for a file name', () => {
    const names = ['a b', 'a-b', 'a/b', 'a  b', ' a b', 'a: b', 'x'.repeat(80), 'x'.repeat(81), '..', 'A > B', 'A - B']
    expect(new Set(names.map((name) => fileOf(name))).size).toBe(names.length)
    for (const name of names) expect(fileOf(name)).toMatch(/^\/a\/__screenshots__\/b\.test\.ts\/[\w-][\w.-]*\.png$/)
  })

  test.for(['../x', 'a/b', '', '.hidden', 1])('refuses the name %j', (name) => {
    expect(() => baselinePath(inTest('x'), machine(), name as string)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    )
  })

  test('requires a running test', () => {
    expect(() => baselinePath(contextOf(), machine(), 'x')).toThrow('can only be used in a test')
  })
})

test.for([
  [{ snapshotUpdateState: 'all' }, 'all'],
  [{ _updateSnapshot: 'none' }, 'none'],
  [{ snapshotUpdateState: 'new' }, 'new'],
] as const)('the update mode of %o is "%s"', ([snapshotState, mode]) => {
  expect(updateMode({ ...contextOf(), snapshotState })).toBe(mode)
})

test('a screenshot is counted in the snapshot counters of Vitest and Jest', () => {
  const counted: string[] = []
  const vitest = { added: { increment: (id: string) => counted.push(id) } }
  account({ ...contextOf(), snapshotState: vitest, task: { id: 'test-1' } }, 'added')
  expect(counted).toEqual(['test-1'])
  const jest = { added: 1 }
  account({ ...contextOf(), snapshotState: jest }, 'added')
  expect(jest).toEqual({ added: 2 })
})
