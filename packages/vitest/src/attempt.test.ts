import { expect, type RunnerTestCase, test } from 'vitest'
import { attemptOf } from './attempt.ts'

test('tests whose names only differ in case have different folders', () => {
  const file = { filepath: '/p/boot.test.ts', name: 'boot.test.ts', tasks: [] as object[] }
  file.tasks.push(...['fails', 'works', 'Fails'].map((name) => ({ name, type: 'test', file })))
  expect(file.tasks.map((task) => attemptOf(task as RunnerTestCase).duplicateIndex)).toEqual([0, 0, 1])
})
