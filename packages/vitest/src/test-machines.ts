/** Manages the machines of one test attempt in Vitest: ends them with the test, and adds their output to its errors. */
import { ExpectError, type VM, type VMOptions } from '@coldboot/core'
import { cleanUp } from '@coldboot/core/internal'
import type { ArtifactOptions } from '@coldboot/report'
import { cleanStacks, explainErrors, type ReportedError, type TestClock } from '@coldboot/runner'
import { type AttemptHost, AttemptMachines } from '@coldboot/runner/attempt'
import { inject, type RunnerTestCase, type TestContext } from 'vitest'
import { attemptOf } from './attempt.ts'
import { borrowTerminal } from './borrowed-terminal.ts'
import { recordMachines } from './failure-report.ts'
import { annotator, recordGuestTests } from './guest-tests.ts'
import { clockOf, definitionOf } from './keep-time.ts'

/** The outcome of one attempt. */
interface AttemptReport {
  /** Whether the files of the machines are kept. */
  readonly keep: boolean
  readonly errors: readonly ReportedError[]
  /** The error for a pending wait of a test that passed. */
  readonly forgotten: ExpectError | undefined
}

/** The machines of one test attempt. Create it at the start, and always call {@link finish} at the end. */
export class TestMachines {
  readonly #task: RunnerTestCase
  readonly #clock: TestClock
  readonly #machines: AttemptMachines
  /** Number of errors of earlier attempts. */
  readonly #earlierErrors: number

  /**
   * @param base default options of each machine
   * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` for bad artifact options
   */
  constructor({ task, annotate }: Pick<TestContext, 'task' | 'annotate'>, base: VMOptions, artifacts: ArtifactOptions) {
    const clock = clockOf(task)
    const host: AttemptHost = {
      name: task.name,
      attempt: attemptOf(task),
      waits: clock.waits,
      hold: () => clock.hold(),
      keeper: inject('coldbootPool'),
      lendTerminal: borrowTerminal,
      onGuestTests: annotator({ annotate }),
    }
    this.#task = task
    this.#clock = clock
    // The options of the project hold unless the file names them, so that `redact` is not lost by accident.
    this.#machines = new AttemptMachines(host, base, { ...inject('artifacts'), ...artifacts })
    this.#earlierErrors = task.result?.errors?.length ?? 0
  }

  /** Starts a machine and waits until it is ready. The clock of the test is stopped meanwhile. */
  boot(options?: VMOptions): Promise<VM> {
    return this.#machines.boot(options)
  }

  /**
   * Ends all machines. After a failure, keeps their files and adds their output to the errors. Also keeps files if the
   * attempt was cancelled.
   *
   * @throws ExpectError `FORGOTTEN_AWAIT` if the test passed with a pending wait
   */
  async finish(): Promise<void> {
    this.#machines.stopStarting()
    // A failure that cannot be recorded is kept.
    let report: AttemptReport = { keep: true, errors: this.#errors, forgotten: undefined }
    await cleanUp(
      async () => {
        report = await this.#report()
      },
      () => this.#clock.end(new ExpectError('TEST_ENDED', `"${this.#task.name}" has ended`)),
      () => this.#machines.end(),
      () => recordGuestTests(this.#task, this.#machines.guestTests),
      () => this.#tidyUp(report),
    )
    if (report.forgotten) throw report.forgotten
  }

  /** Adds the output of the machines to the errors, and decides which files are kept. */
  async #report(): Promise<AttemptReport> {
    const failed = this.#task.result?.state === 'fail'
    const forgotten = failed || this.#clock.cancelled ? undefined : this.#machines.forgottenAwait()
    const errors = this.#errors
    // Adds the console output now, before the machines print more while they end.
    if (failed) {
      cleanStacks(errors, definitionOf(this.#task))
      explainErrors(errors, this.#machines.started)
    }
    const reported = forgotten ? [forgotten] : errors
    // `test.fails` inverts the result.
    const wrong = forgotten !== undefined || failed !== Boolean(this.#task.fails)
    const keep = wrong || this.#clock.cancelled || this.#machines.keptAlways
    if (keep && !this.#clock.cancelled) await this.#machines.saveMachines(reported, wrong)
    this.#machines.redact(reported)
    if (keep) await this.#machines.captureFailure(reported)
    if (wrong && !this.#clock.cancelled) await this.#machines.debugFailure(reported)
    return { keep, errors: reported, forgotten }
  }

  async #tidyUp({ keep, errors }: AttemptReport): Promise<void> {
    if (!keep) return this.#machines.discard()
    await recordMachines(this.#task, await this.#machines.keep(errors.map(({ message }) => message)))
  }

  /** The errors of this attempt. */
  get #errors(): readonly ReportedError[] {
    return this.#task.result?.errors?.slice(this.#earlierErrors) ?? []
  }
}
