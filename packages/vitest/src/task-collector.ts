/** Vitest's `test` without fixtures, with the time limit of each test enforced by {@link keepTime}. */
import { type TestAPI, type TestOptions, TestRunner } from 'vitest'
import { keepTime } from './keep-time.ts'

type Handler = NonNullable<Parameters<ReturnType<typeof TestRunner.getCurrentSuite>['task']>[1]>['handler']

/** The `this` of a collector: the options of the chain (`test.only.concurrent`) and the fixtures. */
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
  // Vitest computes the limit from the test, its group, its tags and the configuration. Creates the task once to read the
  // limit, then again without a limit.
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

/** Vitest's `test` with another clock. */
export const collector: TestAPI = TestRunner.createTaskCollector(collect)
