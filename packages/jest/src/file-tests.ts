/** Tracks the tests of one file by Jest's events, and implements `useVM`, `withVM` and `bootVM`. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { ExpectError, type VM } from '@coldboot/core'
import { readEnvironment } from '@coldboot/core/internal'
import type { Circus } from '@jest/types'
import type { MachineApi, MachineTest, VMOptionsSource } from './bridge.ts'
import { interruption } from './interrupt.ts'
import { jestMatchers } from './jest-matchers.ts'
import { TestAttempt } from './test-attempt.ts'
import type { TestFile } from './test-place.ts'
import { limitOf, NO_LIMIT } from './time-limit.ts'

/** A machine declared by `useVM`. */
interface Declared {
  readonly options: VMOptionsSource | undefined
  /** An error created at the declaration, whose stack is used for boot errors. */
  readonly place: Error
}

type Globals = Extract<Circus.Event, { readonly name: 'setup' }>['runtimeGlobals']

/** The tests of one file. Pass all events to {@link handle}. */
export class FileTests {
  readonly #file: TestFile
  readonly #attempts = new Map<Circus.TestEntry, TestAttempt>()
  readonly #declared = new Map<Circus.DescribeBlock, Declared[]>()
  /** The attempt of the current asynchronous context. Concurrent tests have one each. */
  readonly #context = new AsyncLocalStorage<TestAttempt>()
  /** The attempt of the running sequential test and its hooks. */
  #sequential: TestAttempt | undefined
  #state: Circus.State | undefined
  #interrupted = false
  #globals: Globals | undefined

  constructor(file: TestFile) {
    this.#file = file
  }

  /** The functions for test files. */
  get api(): MachineApi {
    return {
      useVM: (options) => this.#useVM(options),
      withVM: (...args: readonly unknown[]) => this.#withVM(args),
      bootVM: (options) => this.#running('bootVM()').boot(options, new Error('requested here')),
    }
  }

  handle(event: Circus.Event, state: Circus.State): void | Promise<void> {
    const ending = interruption()
    if (ending) return ending
    const { name } = event
    if (name === 'setup') this.#setUp(event.runtimeGlobals, state)
    else if (name === 'run_start') this.#keepTime(state.rootDescribeBlock, state.testTimeout)
    else if (name === 'test_start') this.#begin(event.test)
    else if (name === 'test_skip' || name === 'test_todo') this.#end(event.test)
    else if (name === 'test_done') return this.#end(event.test)?.finish()
  }

  #setUp(globals: Globals, state: Circus.State): void {
    this.#state = state
    this.#globals = globals
    expectOf(globals).extend(jestMatchers(() => this.#current()))
  }

  #begin(test: Circus.TestEntry): void {
    const attempt = this.#attemptOf(test)
    if (!test.concurrent) this.#sequential = attempt
  }

  /** Ends all machines and refuses to start others. */
  async interrupt(): Promise<void> {
    this.#interrupted = true
    await Promise.all([...this.#attempts.values()].map((attempt) => attempt.interrupt()))
  }

  #current(): TestAttempt | undefined {
    return this.#context.getStore() ?? this.#sequential
  }

  #running(what: string): TestAttempt {
    const attempt = this.#current()
    if (attempt && !this.#interrupted) return attempt
    throw new ExpectError('TEST_ENDED', `${what} was called while no test was running`, {
      hint: 'Call it in a test, or in a `beforeEach` or `afterEach` hook. Each machine belongs to one test.',
    })
  }

  #attemptOf(test: Circus.TestEntry): TestAttempt {
    const present = this.#attempts.get(test)
    if (present) return present
    const attempt = new TestAttempt(test, this.#file)
    this.#attempts.set(test, attempt)
    return attempt
  }

  #end(test: Circus.TestEntry): TestAttempt | undefined {
    const attempt = this.#attempts.get(test)
    this.#attempts.delete(test)
    if (attempt === this.#sequential) this.#sequential = undefined
    return attempt
  }

  #useVM(options: VMOptionsSource | undefined): () => VM {
    const block = this.#state?.currentDescribeBlock
    if (!block || this.#current()) {
      throw new ExpectError('TEST_ENDED', 'useVM() was called inside a test', {
        hint: 'Call it at the top level of the file or of a `describe`, like `beforeEach`. In a test, use `bootVM`.',
      })
    }
    const declared: Declared = { options, place: new Error('declared here') }
    const siblings = this.#declared.get(block) ?? []
    this.#declared.set(block, [...siblings, declared])
    this.#globals?.beforeEach(async () => {
      const attempt = this.#running('useVM()')
      // Boots the machines with constant options at once. A function may depend on earlier hooks.
      const ahead = (this.#declared.get(block) ?? []).filter((one) => typeof one.options !== 'function')
      for (const one of ahead) void attempt.declare(one, one.options, one.place)
      await attempt.declare(declared, options, declared.place)
    }, NO_LIMIT)
    return () => this.#running('The accessor of useVM()').declaredVm(declared)
  }

  #withVM(args: readonly unknown[]): (...args: readonly unknown[]) => Promise<void> {
    const [options, fn] = (args.length > 1 ? args : [undefined, args[0]]) as [VMOptionsSource?, MachineTest<unknown[]>?]
    if (typeof fn !== 'function') throw new TypeError('withVM() takes a test function')
    const place = new Error('declared here')
    return async (...own) => {
      const attempt = this.#running('The function made by withVM()')
      const vm = await attempt.boot(options, place)
      await fn({ vm, bootVM: (more) => attempt.boot(more, new Error('requested here')) }, ...own)
    }
  }

  /** Enforces the time limits of all tests and hooks with clocks that stop while a machine starts. */
  #keepTime(block: Circus.DescribeBlock, testTimeout: number): void {
    const factor = readEnvironment().timeoutMultiplier
    for (const hook of block.hooks) {
      if (hook.type !== 'beforeEach' && hook.type !== 'afterEach') continue
      const limit = limitOf(hook.timeout, testTimeout, factor)
      this.#time(hook, () => this.#sequential, limit, `The ${hook.type} hook`)
    }
    for (const child of block.children) {
      if (child.type === 'describeBlock') this.#keepTime(child, testTimeout)
      else this.#time(child, () => this.#attemptOf(child), limitOf(child.timeout, testTimeout, factor), 'Test')
    }
  }

  #time(
    timed: Circus.TestEntry | Circus.Hook,
    attemptOf: () => TestAttempt | undefined,
    limitMs: number,
    what: string,
  ): void {
    const { fn } = timed
    // Functions with `done`, and generators, keep Jest's timer.
    if (typeof fn !== 'function' || fn.length > 0 || fn.constructor.name === 'GeneratorFunction') return
    timed.timeout = NO_LIMIT
    const { asyncError } = timed
    const context = this.#context
    const run = function (this: unknown): unknown {
      const attempt = attemptOf()
      if (!attempt) return Reflect.apply(fn, this, [])
      return context.run(attempt, () => attempt.run(() => Reflect.apply(fn, this, []), limitMs, what, asyncError))
    }
    timed.fn = run as typeof fn
  }
}

// Jest's types do not include `extend`.
function expectOf(globals: Globals): { extend(matchers: ReturnType<typeof jestMatchers>): void } {
  return globals.expect as { extend(matchers: ReturnType<typeof jestMatchers>): void }
}
