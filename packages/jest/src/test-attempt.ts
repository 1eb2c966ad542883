/** One attempt of a test: its time, its machines, and what its errors say of them. */
import { ExpectError, type VM } from '@coldboot/core'
import { TIME_LEFT } from '@coldboot/matchers'
import { AttemptMachines, explainErrors, framesOf, TestClock, tidyErrors, timeoutError } from '@coldboot/runner'
import type { Circus } from '@jest/types'
import type { MachineOptions } from './bridge.ts'
import type { TestFile } from './file-tests.ts'
import { JestError } from './jest-error.ts'
import { namesOf, twinsBefore } from './test-place.ts'

/** Made when an attempt begins; {@link finish} must be called at its end, whatever happens. */
export class TestAttempt {
  /** What matchers are told of the test. */
  readonly task: object
  readonly #test: Circus.TestEntry
  readonly #file: TestFile & { readonly file: string }
  readonly #waits = new AbortController()
  /** Machines that hooks have started, by who declared them. */
  readonly #declared = new Map<object, Promise<VM>>()
  readonly #ready = new Map<object, VM>()
  /** Where the machine was asked for whose start has failed. */
  readonly #places = new WeakMap<object, Error>()
  #machines: AttemptMachines | undefined
  #clock: TestClock | undefined

  constructor(test: Circus.TestEntry, file: TestFile & { readonly file: string }) {
    this.#test = test
    this.#file = file
    this.task = { [TIME_LEFT]: () => this.#clock?.left() ?? Infinity }
  }

  /**
   * Runs the test’s function, or a hook, against a clock.
   *
   * @param definition what a timeout points at
   */
  run(fn: () => unknown, limitMs: number, what: string, definition: Circus.Exception): unknown {
    const error = (heldMs: number): Error => timeoutError(what, limitMs, heldMs, framesOf(stackOf(definition)))
    const clock = new TestClock(this.#waits.signal, limitMs, error)
    clock.waits.addEventListener('abort', () => this.#waits.abort(clock.waits.reason), { once: true })
    this.#clock = clock
    clock.start()
    let result: unknown
    try {
      result = fn()
    } catch (error) {
      clock.stop()
      throw error
    }
    if (!isThenable(result)) {
      clock.stop()
      return result
    }
    const over = new Promise((_, reject) => {
      clock.signal.addEventListener('abort', () => reject(clock.signal.reason as Error), { once: true })
    })
    return Promise.race([result, over]).finally(() => clock.stop())
  }

  /** Starts a machine outside of the test’s own time. */
  async boot(options: MachineOptions | undefined, place: Error): Promise<VM> {
    const machines = this.#requireMachines()
    try {
      return await machines.boot(typeof options === 'function' ? await options() : options)
    } catch (error) {
      if (typeof error === 'object' && error !== null) this.#places.set(error, place)
      throw error
    }
  }

  /** Starts a machine that each test of a describe has, unless it is started already. */
  declare(key: object, options: MachineOptions | undefined, place: Error): Promise<VM> {
    const present = this.#declared.get(key)
    if (present) return present
    const start = this.boot(options, place)
    this.#declared.set(key, start)
    // Who declared it awaits it, in a hook of its own that may never run.
    start.then(
      (vm) => this.#ready.set(key, vm),
      () => {},
    )
    return start
  }

  /** @throws ExpectError `MACHINE_NOT_STARTED` */
  declaredVm(key: object): VM {
    const vm = this.#ready.get(key)
    if (vm) return vm
    const why = this.#test.concurrent
      ? 'Jest runs no hooks for a concurrent test, so `useVM` has started no machine'
      : 'The machine of `useVM` is not started yet'
    throw new ExpectError('MACHINE_NOT_STARTED', `${why} for "${this.#test.name}"`)
  }

  /**
   * Ends all machines. Their files stay when the attempt failed, and its errors then tell what the machines printed. A
   * test that would pass although it still waits for a machine fails.
   */
  async finish(): Promise<void> {
    const machines = this.#machines
    if (!machines) return this.#end()
    machines.stopStarting()
    const { errors } = this.#test
    const forgotten = errors.length > 0 || this.#test.failing ? undefined : machines.forgottenAwait()
    // The last words of the console at this moment: what the machines print while they end explains nothing.
    if (errors.length > 0) this.#explain(machines.started)
    const wrong = forgotten ? [forgotten] : this.#test.errors
    const told = wrong.map((error) => ({ message: messageOf(error), stack: stackOf(error) }))
    if (told.length > 0) await machines.witness(told)
    this.#end()
    await machines.end()
    if (forgotten) errors.push(forgotten)
    if (told.length > 0) await machines.keep(told.map(({ message }) => message))
    else await machines.discard()
  }

  #end(): void {
    this.#clock?.stop()
    this.#waits.abort(new ExpectError('TEST_ENDED', `"${this.#test.name}" has ended`))
  }

  #explain(machines: readonly VM[]): void {
    const errors = this.#test.errors.map((error) => new JestError(error))
    for (const error of errors) {
      const place = this.#places.get(error.original) ?? this.#test.asyncError
      tidyErrors([error], framesOf(stackOf(place)).join('\n'))
    }
    explainErrors(errors, machines)
    this.#test.errors = errors.map((error) => error.original as Error)
  }

  #requireMachines(): AttemptMachines {
    if (this.#machines) return this.#machines
    const { root, file, project, vmOptions } = this.#file
    const host = {
      name: String(this.#test.name),
      attempt: {
        root,
        home: '.jest',
        file,
        project,
        names: namesOf(this.#test),
        twin: twinsBefore(this.#test),
        repeat: 0,
        retry: Math.max(this.#test.invocations - 1, 0),
      },
      waits: this.#waits.signal,
      hold: () => this.#clock?.hold() ?? { [Symbol.dispose]: () => {} },
    }
    this.#machines = new AttemptMachines(host, vmOptions)
    return this.#machines
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

function stackOf(exception: Circus.Exception): string | undefined {
  return exception instanceof Error || typeof exception === 'object' ? exception?.stack : undefined
}

function messageOf(error: unknown): string {
  return error instanceof Error || (typeof error === 'object' && error !== null && 'message' in error)
    ? String(error.message)
    : String(error)
}
