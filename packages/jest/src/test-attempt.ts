/** Manages one attempt of a test in Jest: its clock, its machines and its errors. */
import { ExpectError, type VM } from '@coldboot/core'
import { cleanUp } from '@coldboot/core/internal'
import { TIME_LEFT } from '@coldboot/matchers'
import { attemptDirectory } from '@coldboot/report'
import { cleanStacks, explainErrors, TestClock, timeoutError, userFrames } from '@coldboot/runner'
import { AttemptMachines } from '@coldboot/runner/attempt'
import type { Circus } from '@jest/types'
import type { VMOptionsSource } from './bridge.ts'
import { writeGuestTests } from './guest-tests.ts'
import { JestError } from './jest-error.ts'
import type { RunningTest } from './jest-matchers.ts'
import { attemptOf, namesOf, type TestFile } from './test-place.ts'

const MORE_TIME =
  'Raise its timeout, with its last argument or the option `testTimeout`, or lower the timeouts of its waits.'

/** Jest never cancels a test. */
const NEVER = new AbortController().signal

/** One attempt of a test. Create it at the start, and always call {@link finish} at the end. */
export class TestAttempt implements RunningTest {
  readonly task: object
  readonly fullName: string
  readonly #test: Circus.TestEntry
  readonly #file: TestFile
  readonly #waits = new AbortController()
  /** Machines started by hooks: declaration → start. */
  readonly #declared = new Map<object, Promise<VM>>()
  readonly #ready = new Map<object, VM>()
  /** Error of a start → an error created at the request of the machine. */
  readonly #places = new WeakMap<object, Error>()
  #machines: AttemptMachines | undefined
  #clock: TestClock | undefined
  #interrupted = false

  constructor(test: Circus.TestEntry, file: TestFile) {
    this.#test = test
    this.#file = file
    this.fullName = namesOf(test).join(' ')
    this.task = { [TIME_LEFT]: () => this.#clock?.left() ?? Infinity }
  }

  /**
   * Runs a test function or a hook with a time limit.
   *
   * @param definition stack for a timeout
   */
  run(fn: () => unknown, limitMs: number, what: string, definition: Circus.Exception): unknown {
    const frames = placeOf(definition)
    const error = (heldMs: number): Error => timeoutError({ what, limitMs, heldMs, frames, hint: MORE_TIME })
    const clock = new TestClock(NEVER, limitMs, error)
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

  /**
   * Starts a machine. The clock of the test is stopped meanwhile.
   *
   * @param isRepeated see `AttemptMachines.boot`
   */
  async boot(options: VMOptionsSource | undefined, place: Error, isRepeated?: boolean): Promise<VM> {
    const machines = this.#requireMachines()
    try {
      return await machines.boot(typeof options === 'function' ? await options() : options, isRepeated)
    } catch (error) {
      if (typeof error === 'object' && error !== null) this.#places.set(error, place)
      throw error
    }
  }

  /** Starts a machine declared by `useVM`, unless it has already been started. */
  declare(key: object, options: VMOptionsSource | undefined, place: Error): Promise<VM> {
    const present = this.#declared.get(key)
    if (present) return present
    const start = this.boot(options, place, true)
    this.#declared.set(key, start)
    // Handles a rejection, because the hook that awaits the start may never run.
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
   * Ends all machines. After a failure, keeps their files and adds their output to the errors. Fails a test that passed with
   * a pending wait.
   */
  async finish(): Promise<void> {
    if (this.#interrupted) return
    const machines = this.#machines
    machines?.stopStarting()
    // A failure that cannot be recorded is kept.
    let kept: readonly JestError[] | undefined = this.#test.errors.map((error) => new JestError(error))
    await cleanUp(
      async () => {
        kept = await this.#report(machines)
      },
      () => this.#end(machines, `"${this.#test.name}" has ended`),
      () => machines && this.#tidyUp(machines, kept),
    )
  }

  /** Ends all machines before the end of the test, and keeps their files. */
  async interrupt(): Promise<void> {
    this.#interrupted = true
    const machines = this.#machines
    machines?.stopStarting()
    const why = `"${this.#test.name}" was interrupted`
    await cleanUp(
      () => this.#end(machines, why),
      () => machines?.keep([why]),
    )
  }

  /** Adds the output of the machines to the errors. @returns the errors whose files are kept; undefined to keep none */
  async #report(machines: AttemptMachines | undefined): Promise<readonly JestError[] | undefined> {
    const failed = this.#test.errors.length > 0
    const forgotten = failed || this.#test.failing ? undefined : machines?.forgottenAwait()
    const errors = (forgotten ? [forgotten] : this.#test.errors).map((error) => new JestError(error))
    // Adds the console output now, before the machines print more while they end.
    if (failed) this.#explain(errors, machines?.started ?? [])
    const keep = errors.length > 0 || machines?.keptAlways === true
    if (keep) await machines?.saveMachines(errors, errors.length > 0)
    for (const error of errors) error.hideInner()
    machines?.redact(errors.map(({ original }) => original))
    this.#test.errors = errors.map(({ original }) => original as Error)
    if (keep) await machines?.captureFailure(errors)
    if (errors.length > 0) await machines?.debugFailure(errors)
    return keep ? errors : undefined
  }

  async #end(machines: AttemptMachines | undefined, why: string): Promise<void> {
    this.#clock?.stop()
    this.#waits.abort(new ExpectError('TEST_ENDED', why))
    await machines?.end()
  }

  /** @param errors undefined to discard the files */
  async #tidyUp(machines: AttemptMachines, errors: readonly JestError[] | undefined): Promise<void> {
    if (errors === undefined) return machines.discard()
    const kept = await machines.keep(errors.map(({ message }) => message))
    if (kept.length > 0) writeGuestTests(attemptDirectory(attemptOf(this.#file, this.#test)), machines.guestTests)
  }

  #explain(errors: readonly JestError[], machines: readonly VM[]): void {
    for (const error of errors) {
      const place = this.#places.get(error.original) ?? this.#test.asyncError
      cleanStacks([error], placeOf(place).join('\n'))
    }
    explainErrors(errors, machines)
  }

  #requireMachines(): AttemptMachines {
    if (this.#machines) return this.#machines
    const { vm, artifacts } = this.#file.options
    const host = {
      name: String(this.#test.name),
      attempt: attemptOf(this.#file, this.#test),
      waits: this.#waits.signal,
      hold: () => this.#clock?.hold() ?? { [Symbol.dispose]: () => {} },
    }
    this.#machines = new AttemptMachines(host, vm ?? {}, artifacts)
    return this.#machines
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}

/** The first frame of user code. The following frames are the `describe` blocks around the test. */
function placeOf(exception: Circus.Exception): readonly string[] {
  return userFrames(stackOf(exception)).slice(0, 1)
}

function stackOf(exception: Circus.Exception): string | undefined {
  return exception instanceof Error || typeof exception === 'object' ? exception?.stack : undefined
}
