import type { Circus } from '@jest/types'
import { expect, test } from 'vitest'
import { attemptOf } from './test-place.ts'

test('tests whose names only differ in case have different folders', () => {
  const root = { name: 'ROOT', type: 'describeBlock', children: [] as object[] }
  const block = { name: 'boot', type: 'describeBlock', parent: root, children: [] as object[] }
  root.children.push(block)
  block.children.push(
    ...['fails', 'works', 'Fails'].map((name) => ({ name, type: 'test', parent: block, invocations: 1 })),
  )
  const file = { root: '/p', file: 'boot.test.js', project: undefined, options: {} }
  const indexes = block.children.map((entry) => attemptOf(file, entry as Circus.TestEntry).duplicateIndex)
  expect(indexes).toEqual([0, 0, 1])
})
