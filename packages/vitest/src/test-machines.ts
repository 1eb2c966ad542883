/** The machines of one attempt of a test, ended with it, and explained when it fails. */
import { ExpectError, type VM, type VMOptions } from '@coldboot/core'
import type { ArtifactOptions } from '@coldboot/report'
import { type AttemptHost, AttemptMachines, cleanStacks, explainErrors, type TestClock } from '@coldboot/runner'
import type { RunnerTestCase, TestContext } from 'vitest'
import { attemptOf } from './attempt.ts'
import { borrowTerminal } from './borrowed-terminal.ts'
import { recordMachines } from './failure-report.ts'
import { annotator, recordGuestTests } from './guest-tests.ts'
import { clockOf, definitionOf } from './keep-time.ts'

/** Made at the start of an attempt; {@link finish} must be called at its end, whatever happens. */
export class TestMachines {
  readonly #task: RunnerTestCase
  readonly #clock: TestClock
  readonly #machines: AttemptMachines
  /** Errors of the attempts before this one. */
  readonly #earlierErrors: number

  /**
   * @param base what each machine has unless its own options say otherwise
   * @throws OptionError for artifact options that are wrong
   */
  constructor({ task, annotate }: Pick<TestContext, 'task' | 'annotate'>, base: VMOptions, artifacts: ArtifactOptions) {
    const clock = clockOf(task)
    const host: AttemptHost = {
      name: task.name,
      attempt: attemptOf(task),
      waits: clock.waits,
      hold: () => clock.hold(),
      lendTerminal: borrowTerminal,
      onGuestTests: annotator({ annotate }),
    }
    this.#task = task
    this.#clock = clock
    this.#machines = new AttemptMachines(host, base, artifacts)
    this.#earlierErrors = task.result?.errors?.length ?? 0
  }

  /** Starts a machine and waits until it is ready, outside of the test's own time. */
  boot(options?: VMOptions): Promise<VM> {
    return this.#machines.boot(options)
  }

  /**
   * Ends all machines. Their files stay when the attempt failed or was cancelled, and the attempt's errors then tell
   * what the machines printed.
   *
   * @throws ExpectError `FORGOTTEN_AWAIT` when a test that would pass still waits for a machine
   */
  async finish(): Promise<void> {
    this.#machines.stopStarting()
    const failed = this.#task.result?.state === 'fail'
    const forgotten = failed || this.#clock.cancelled ? undefined : this.#machines.forgottenAwait()
    const errors = this.#task.result?.errors?.slice(this.#earlierErrors) ?? []
    // The last words of the console at this moment: what the machines print while they end explains nothing.
    if (failed) {
      cleanStacks(errors, definitionOf(this.#task))
      explainErrors(errors, this.#machines.started)
    }
    const told = forgotten ? [forgotten] : errors
    this.#machines.redact(told)
    // `test.fails` turns the result around.
    const wrong = forgotten !== undefined || failed !== Boolean(this.#task.fails)
    const keep = wrong || this.#clock.cancelled || this.#machines.keptAlways
    try {
      if (keep) await this.#machines.captureFailure(told)
      if (wrong && !this.#clock.cancelled) await this.#machines.debugFailure(told)
    } finally {
      this.#clock.end(new ExpectError('TEST_ENDED', `"${this.#task.name}" has ended`))
      await this.#machines.end()
    }
    recordGuestTests(this.#task, this.#machines.guestTests)
    if (!keep) await this.#machines.discard()
    else await recordMachines(this.#task, await this.#machines.keep(told.map(({ message }) => message)))
    if (forgotten) throw forgotten
  }
}
