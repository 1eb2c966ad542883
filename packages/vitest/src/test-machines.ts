/** The machines of one attempt of a test: started when asked for, ended with it, kept and explained when it fails. */
import { join } from 'node:path'
import { ExpectError, type ReadyOptions, startReady, type VM } from '@coldboot/core'
import { artifactRoot, attemptDirectory, folderName, makeFile, removeDirectory } from '@coldboot/report'
import { explainErrors, forgottenAwait, MachineNames, type TestClock, tidyErrors, withGuest } from '@coldboot/runner'
import type { RunnerTestCase } from 'vitest'
import { attemptOf } from './attempt.ts'
import { recordMachines } from './failure-report.ts'
import { clockOf, definitionOf } from './keep-time.ts'

const DEFAULT_NAME = 'vm'

/** Made at the start of an attempt; {@link finish} must be called at its end, whatever happens. */
export class TestMachines {
  readonly #task: RunnerTestCase
  readonly #clock: TestClock
  readonly #base: ReadyOptions
  readonly #directory: string
  readonly #artifacts: string
  readonly #names = new MachineNames()
  readonly #machines: VM[] = []
  readonly #starting = new Set<Promise<VM>>()
  /** Errors of the attempts before this one. */
  readonly #earlierErrors: number
  #over = false

  /** @param base what each machine has unless its own options say otherwise */
  constructor(task: RunnerTestCase, base: ReadyOptions) {
    const attempt = attemptOf(task)
    this.#task = task
    this.#clock = clockOf(task)
    this.#base = base
    this.#directory = attemptDirectory(attempt)
    this.#artifacts = artifactRoot(attempt)
    this.#earlierErrors = task.result?.errors?.length ?? 0
    // What an earlier run left behind would be taken for this one’s.
    removeDirectory(this.#directory, this.#artifacts)
  }

  /** Starts a machine and waits until it is ready, outside of the test’s own time. */
  boot(options: ReadyOptions = {}): Promise<VM> {
    const start = this.#boot(options)
    this.#starting.add(start)
    const settled = (): boolean => this.#starting.delete(start)
    start.then(settled, settled)
    return start
  }

  /**
   * Ends all machines. Their files stay when the attempt failed or was cancelled, and the attempt’s errors then tell
   * what the machines printed.
   *
   * @throws ExpectError `FORGOTTEN_AWAIT` when a test that would pass still waits for a machine
   */
  async finish(): Promise<void> {
    this.#over = true
    const failed = this.#task.result?.state === 'fail'
    const forgotten = failed || this.#clock.cancelled ? undefined : forgottenAwait(this.#machines, this.#starting.size)
    const errors = this.#task.result?.errors?.slice(this.#earlierErrors) ?? []
    // The last words of the console at this moment: what the machines print while they end explains nothing.
    if (failed) {
      tidyErrors(errors, definitionOf(this.#task))
      explainErrors(errors, this.#machines)
    }
    this.#clock.end(new ExpectError('TEST_ENDED', `"${this.#task.name}" has ended`))
    await Promise.allSettled(this.#starting)
    await Promise.all(this.#machines.map((vm) => vm.close()))
    // `test.fails` turns the result around.
    if (forgotten || failed !== Boolean(this.#task.fails)) await recordMachines(this.#task, this.#machines)
    else if (!this.#clock.cancelled) removeDirectory(this.#directory, this.#artifacts)
    if (forgotten) throw forgotten
  }

  async #boot(options: ReadyOptions): Promise<VM> {
    this.#requireTest()
    const name = this.#names.take(options.name, this.#base.name ?? DEFAULT_NAME)
    using _hold = this.#clock.hold()
    const complete = await withGuest({ ...this.#base, ...options })
    this.#requireTest()
    // Awaited here: the test’s clock stands still until then.
    return await this.#start({ ...complete, name })
  }

  async #start(options: ReadyOptions & { readonly name: string }): Promise<VM> {
    const { waits } = this.#clock
    const signal = options.signal ? AbortSignal.any([options.signal, waits]) : waits
    const directory = join(this.#directory, folderName(options.name))
    const logFile = options.logFile ?? makeFile(join(directory, 'console.log'))
    let booting: VM | undefined
    try {
      const vm = await startReady({ prefetch: true, ...options, logFile, signal }, (machine) => {
        booting = machine
      })
      this.#machines.push(vm)
      return vm
    } catch (error) {
      // A machine that printed something explains the error; without one there is nothing to keep.
      if (booting === undefined) removeDirectory(directory, this.#artifacts)
      else this.#machines.push(booting)
      throw error
    }
  }

  #requireTest(): void {
    if (this.#over) throw new ExpectError('TEST_ENDED', `A machine was asked for after "${this.#task.name}" had ended`)
  }
}
