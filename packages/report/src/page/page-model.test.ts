import { expect, test } from 'vitest'
import type { AttemptReport, ErrorReport, TestReport } from '../run-report.ts'
import { pageModel } from './page-model.ts'

const attempt = (about: Partial<AttemptReport> = {}): AttemptReport => {
  return { state: 'failed', label: '', errors: [], machines: [], guestTests: [], ...about }
}
const result = (names: readonly string[], about: Partial<TestReport> = {}): TestReport => {
  return { names, file: 'a.test.ts', state: 'passed', duration: 1, attempts: [], ...about }
}
const error = (message: string, line = 1): ErrorReport => {
  return { name: 'Error', message, stack: [{ file: '/a.test.ts', line, column: 1 }] }
}
const modelOf = (tests: readonly TestReport[], errors: readonly ErrorReport[] = []) =>
  pageModel({ runner: 'x', root: '/', started: 0, duration: 0, tests, errors })

test('groups tests by file, those with failures first, and the most important test of a file first', () => {
  const files = ['a.test.ts', 'b.test.ts', 'c.test.ts']
  const model = modelOf([
    result(['passed'], { file: files[0] ?? '' }),
    result(['kept'], { file: files[1] ?? '', attempts: [attempt({ state: 'passed', machines: ['/vm'] })] }),
    result(['flaky'], { file: files[1] ?? '', attempts: [attempt(), attempt({ state: 'passed' })] }),
    result(['interrupted'], { file: files[1] ?? '', state: 'skipped', attempts: [attempt({ machines: ['/vm'] })] }),
    result(['failed'], { file: files[2] ?? '', state: 'failed' }),
    result(['skipped'], { file: files[2] ?? '', state: 'skipped' }),
  ])
  expect(
    model.files.map(({ file, tests }) => [file, tests.map(({ status, test }) => `${status}: ${test.names[0]}`)]),
  ).toEqual([
    ['c.test.ts', ['failed: failed', 'skipped: skipped']],
    ['b.test.ts', ['interrupted: interrupted', 'flaky: flaky', 'passed: kept']],
    ['a.test.ts', ['passed: passed']],
  ])
  expect(model.articles.map(({ test }) => test.names[0])).toEqual(['failed', 'interrupted', 'flaky', 'kept'])
  expect(model.counts).toEqual({ failed: 1, interrupted: 1, flaky: 1, passed: 2, skipped: 1 })
})

test('ids are readable, unique, and without characters that HTML or URLs use', () => {
  const names = ['group', 'it works']
  const { files } = modelOf([
    result(names),
    result(names),
    result(names, { project: 'emulated' }),
    result(['<b> "x" #&'], { file: 'dir/b c.test.ts' }),
  ])
  const ids = files.flatMap(({ tests }) => tests.map(({ id }) => id))
  expect(ids.slice(0, 3)).toEqual([
    'a.test.ts/group--it-works',
    'a.test.ts/group--it-works/2',
    'a.test.ts/emulated/group--it-works',
  ])
  expect(ids[3]).toMatch(/^[\w./@+=-]+$/)
})

test('omits repeated errors, and errors that belong to a test', () => {
  const own = [result(['x'], { state: 'failed', attempts: [attempt({ errors: [error('late by 31 ms\nmore')] })] })]
  const errors = [error('late by 32 ms'), error('worker crashed'), error('worker crashed'), error('late by 1 ms', 2)]
  expect(modelOf(own, errors).errors).toEqual([errors[1], errors[3]])
})
