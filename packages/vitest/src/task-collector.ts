/** `test` without fixtures: Vitest's own, with the limit of each test kept by {@link keepTime} instead of the runner. */
import { type TestAPI, type TestOptions, TestRunner } from 'vitest'
import { keepTime } from './keep-time.ts'

type Handler = NonNullable<Parameters<ReturnType<typeof TestRunner.getCurrentSuite>['task']>[1]>['handler']

/** `this` of a collector: what the chain (`test.only.concurrent`) has set, and the fixtures. */
type Chain = NonNullable<Parameters<ReturnType<typeof TestRunner.getCurrentSuite>['task']>[1]>

/** The signatures of `test`: `(name, fn?, timeout?)` and `(name, options, fn?)`. */
function collect(
  this: Chain,
  name: string | { readonly name: string },
  optionsOrHandler?: TestOptions | Handler,
  handlerOrTimeout?: Handler | number,
): void {
  const options = typeof handlerOrTimeout === 'number' ? { timeout: handlerOrTimeout } : optionsOf(optionsOrHandler)
  const handler = typeof optionsOrHandler === 'function' ? optionsOrHandler : functionOf(handlerOrTimeout)
  const title = typeof name === 'string' ? name : name.name || '<anonymous>'
  const all = { ...this, ...options, ...(handler ? { handler } : {}) }
  const suite = TestRunner.getCurrentSuite()
  // Only Vitest knows the test's limit: from the test, its describe, its tags, or the configuration. So it is asked to
  // make the test, the answer is taken, and the test made again without a limit.
  const { timeout } = suite.task(title, all)
  suite.tasks.pop()
  const task = suite.task(title, { ...all, timeout: 0 })
  task.timeout = timeout
  keepTime(task, timeout, new Error('defined here'))
}

function optionsOf(value: TestOptions | Handler): TestOptions {
  return typeof value === 'object' ? value : {}
}

function functionOf(value: Handler | number): Handler {
  return typeof value === 'function' ? value : undefined
}

/** Vitest's `test`, by another clock. */
export const collector: TestAPI = TestRunner.createTaskCollector(collect)
