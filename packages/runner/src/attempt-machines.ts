/** The machines of one attempt of a test: started when asked for, ended with it, their files kept when it failed. */
import { join } from 'node:path'
import { ExpectError, type ReadyOptions, startReady, type VM } from '@coldboot/core'
import { type Attempt, artifactRoot, attemptDirectory, folderName, makeFile, removeDirectory } from '@coldboot/report'
import { withGuest } from './default-guest.ts'
import { forgottenAwait } from './forgotten-await.ts'
import { MachineNames } from './machine-names.ts'

const DEFAULT_NAME = 'vm'

/** What a runner’s package tells of the attempt. */
export interface AttemptHost {
  /** The test’s own name. */
  readonly name: string
  readonly attempt: Attempt
  /** Ends the waits on the machines. */
  readonly waits: AbortSignal
  /** Holds the test’s clock while a machine is being started. */
  hold(): Disposable
}

/** Made at the start of an attempt; {@link end} must be called at its end, whatever happens. */
export class AttemptMachines {
  readonly #host: AttemptHost
  readonly #base: ReadyOptions
  readonly #directory: string
  readonly #artifacts: string
  readonly #names = new MachineNames()
  readonly #machines: VM[] = []
  readonly #starting = new Set<Promise<VM>>()
  #over = false

  /** @param base what each machine has unless its own options say otherwise */
  constructor(host: AttemptHost, base: ReadyOptions) {
    this.#host = host
    this.#base = base
    this.#directory = attemptDirectory(host.attempt)
    this.#artifacts = artifactRoot(host.attempt)
    // What an earlier run left behind would be taken for this one’s.
    this.discard()
  }

  /** The machines that were started, those too whose boot has failed. */
  get started(): readonly VM[] {
    return this.#machines
  }

  /** Starts a machine and waits until it is ready, outside of the test’s own time. */
  boot(options: ReadyOptions = {}): Promise<VM> {
    const start = this.#boot(options)
    this.#starting.add(start)
    const settled = (): boolean => this.#starting.delete(start)
    start.then(settled, settled)
    return start
  }

  /** The error for a test that would pass although it still waits for a machine; undefined when it does not. */
  forgottenAwait(): ExpectError | undefined {
    return forgottenAwait(this.#machines, this.#starting.size)
  }

  /** No machine is started from now on. */
  stopStarting(): void {
    this.#over = true
  }

  /** Ends all machines, those too that are still being started. Their files stay. */
  async end(): Promise<void> {
    this.stopStarting()
    await Promise.allSettled(this.#starting)
    await Promise.all(this.#machines.map((vm) => vm.close()))
  }

  /** Removes the files. */
  discard(): void {
    removeDirectory(this.#directory, this.#artifacts)
  }

  async #boot(options: ReadyOptions): Promise<VM> {
    this.#requireTest()
    const name = this.#names.take(options.name, this.#base.name ?? DEFAULT_NAME)
    using _hold = this.#host.hold()
    const complete = await withGuest({ ...this.#base, ...options })
    this.#requireTest()
    // Awaited here: the test’s clock stands still until then.
    return await this.#start({ ...complete, name })
  }

  async #start(options: ReadyOptions & { readonly name: string }): Promise<VM> {
    const { waits } = this.#host
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
    if (!this.#over) return
    throw new ExpectError('TEST_ENDED', `A machine was asked for after "${this.#host.name}" had ended`)
  }
}
