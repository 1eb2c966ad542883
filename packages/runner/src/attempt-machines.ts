/** The machines of one attempt of a test: started when asked for, ended with it, their files kept when it failed. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { ColdbootError, ExpectError, type VM, type VMOptions } from '@coldboot/core'
import { CallSite, checkVMOptions, readEnvironment, requireObject, startReady } from '@coldboot/core/internal'
import {
  type ArtifactOptions,
  type Attempt,
  artifactRoot,
  attemptDirectory,
  folderName,
  type GuestTestRecord,
  type MachineRecord,
  MachineRecorder,
  makeFile,
  Redactor,
  type ResolvedArtifacts,
  removeDirectory,
  resolveArtifacts,
} from '@coldboot/report'
import { withGuest } from './default-guest.ts'
import { forgottenAwait } from './forgotten-await.ts'
import { type GuestTestNotice, GuestTests } from './guest-tests.ts'
import { MachineNames } from './machine-names.ts'
import { redactErrors } from './redact-errors.ts'
import { placeOf, type ReportedError } from './reported-error.ts'

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
  /** Runs a session that needs the terminal. @default it is run as it is */
  lendTerminal?(session: () => Promise<void>): Promise<void>
  /** Told of tests that ran inside a guest. */
  readonly onGuestTests?: (notice: GuestTestNotice) => void
}

/** Made at the start of an attempt; {@link end} must be called at its end, whatever happens. */
export class AttemptMachines {
  readonly #host: AttemptHost
  readonly #base: VMOptions
  readonly #directory: string
  readonly #root: string
  readonly #artifacts: ResolvedArtifacts
  readonly #redactor: Redactor
  readonly #guestTests: GuestTests
  readonly #recorders = new Map<VM, MachineRecorder>()
  readonly #names = new MachineNames()
  readonly #owner = randomBytes(8).toString('hex')
  readonly #machines: VM[] = []
  /** Each with the place that asked for it. */
  readonly #starting = new Map<Promise<VM>, CallSite>()
  #over = false

  /**
   * @param base what each machine has unless its own options say otherwise
   * @throws OptionError for artifact options that are wrong
   */
  constructor(host: AttemptHost, base: VMOptions, artifacts: ArtifactOptions = {}) {
    this.#artifacts = resolveArtifacts(artifacts)
    this.#redactor = new Redactor(this.#artifacts.redact)
    this.#guestTests = new GuestTests(host.attempt, this.#redactor, host.onGuestTests)
    this.#host = host
    this.#base = base
    this.#directory = attemptDirectory(host.attempt)
    this.#root = artifactRoot(host.attempt)
    // What an earlier run left behind would be taken for this one’s.
    removeDirectory(this.#directory, this.#root)
  }

  /** The machines that were started, those too whose boot has failed. */
  get started(): readonly VM[] {
    return this.#machines
  }

  /** The tests that ran inside the guests. */
  get guestTests(): readonly GuestTestRecord[] {
    return this.#guestTests.records
  }

  /** Whether files are kept of tests too that go as they should. */
  get keptAlways(): boolean {
    return this.#artifacts.retain === 'always'
  }

  /** Starts a machine and waits until it is ready, outside of the test’s own time. */
  boot(options: VMOptions = {}): Promise<VM> {
    const site = new CallSite()
    const start = this.#boot(options).catch((error: unknown) => {
      throw site.complete(error)
    })
    this.#starting.set(start, site)
    const settled = (): boolean => this.#starting.delete(start)
    start.then(settled, settled)
    return start
  }

  /** The error for a test that would pass although it still waits for a machine; undefined when it does not. */
  forgottenAwait(): ExpectError | undefined {
    return forgottenAwait(this.#machines, [...this.#starting.values()])
  }

  /** No machine is started from now on. */
  stopStarting(): void {
    this.#over = true
  }

  /** Takes secrets out of errors. What the machines printed is in them by now. */
  redact(errors: readonly object[]): void {
    redactErrors(errors, this.#redactor)
  }

  /** The test is over just now: notes the errors, and takes pictures of the displays. */
  async captureFailure(errors: readonly ReportedError[]): Promise<void> {
    for (const recorder of this.#recorders.values()) {
      for (const { message, stack } of errors) recorder.noteError(firstLine(message), placeOf(stack))
    }
    await Promise.all([...this.#recorders].map(([vm, recorder]) => recorder.takeScreenshots(vm)))
  }

  /**
   * The test has failed just now: gives the console of each machine that still runs to who runs the test, where
   * COLDBOOT_DEBUG asks for it.
   */
  async debugFailure(errors: readonly ReportedError[]): Promise<void> {
    if (readEnvironment().debug !== 'on-failure') return
    // The machine’s own signal has aborted when the test timed out.
    const { signal } = new AbortController()
    for (const vm of this.#machines.filter(({ state }) => state === 'running')) {
      const why = errors.map(({ message }) => firstLine(message)).join('\n')
      try {
        await vm.debug({ message: `"${this.#host.name}" has failed: ${why}`, signal })
      } catch (error) {
        if (!ColdbootError.is(error) || error.code !== 'NO_TERMINAL') throw error
        process.emitWarning(`COLDBOOT_DEBUG has no effect: ${error.shortMessage}.`, 'ColdbootWarning')
        return
      }
    }
  }

  /** Ends all machines, those too that are still being started. Then one of {@link keep} and {@link discard}. */
  async end(): Promise<void> {
    this.stopStarting()
    await Promise.allSettled(this.#starting.keys())
    await Promise.all(this.#machines.map((vm) => vm.close()))
  }

  /**
   * After {@link end}: completes the files, for somebody to look at. There are none when they are kept `never`.
   *
   * @param errors messages of the test’s errors
   * @returns what there is of each machine
   */
  async keep(errors: readonly string[]): Promise<readonly MachineRecord[]> {
    const recorders = [...this.#recorders.values()]
    const records = await Promise.all(recorders.map((recorder) => recorder.finish(errors)))
    return records.filter((record) => record !== undefined)
  }

  /** After {@link end}: removes the files. */
  async discard(): Promise<void> {
    await Promise.all([...this.#recorders.values()].map((recorder) => recorder.stop()))
    removeDirectory(this.#directory, this.#root)
  }

  async #boot(options: VMOptions): Promise<VM> {
    this.#requireTest()
    requireObject('`vmOptions`', this.#base)
    requireObject('the options of the machine', options)
    const asked = { ...this.#base, ...options }
    checkVMOptions(asked)
    const name = this.#names.take(options.name, this.#base.name ?? DEFAULT_NAME)
    using _hold = this.#host.hold()
    const complete = await withGuest(asked)
    this.#requireTest()
    // Awaited here: the test’s clock stands still until then.
    return await this.#start({ ...complete, name })
  }

  async #start(options: VMOptions & { readonly name: string }): Promise<VM> {
    const { waits } = this.#host
    const signal = options.signal ? AbortSignal.any([options.signal, waits]) : waits
    const directory = join(this.#directory, folderName(options.name))
    const recorder = this.#recorder(directory)
    const recorded = this.#guestTests.watching(recorder ? recorder.watching(options) : options)
    let booting: VM | undefined
    const add = (vm: VM): void => {
      this.#machines.push(vm)
      if (recorder) this.#recorders.set(vm, recorder)
    }
    try {
      const aroundDebug = (session: () => Promise<void>): Promise<void> => this.#debug(session)
      const onBoot = (machine: VM): void => {
        booting = machine
      }
      const asked = { pool: true, aroundDebug, ...recorded, signal }
      const vm = await startReady(asked, { onBoot, owner: this.#owner })
      add(vm)
      return vm
    } catch (error) {
      // A machine that printed something explains the error; without one there is nothing to keep.
      if (booting === undefined) removeDirectory(directory, this.#root)
      else add(booting)
      throw error
    }
  }

  async #debug(session: () => Promise<void>): Promise<void> {
    using _hold = this.#host.hold()
    await (this.#host.lendTerminal?.(session) ?? session())
  }

  #recorder(directory: string): MachineRecorder | undefined {
    if (this.#artifacts.retain === 'never') return undefined
    // Made here: who cannot write there has the reason as the error of the start.
    makeFile(join(directory, 'console.log'))
    const { attempt } = this.#host
    return new MachineRecorder({ directory, attempt, artifacts: this.#artifacts, redactor: this.#redactor })
  }

  #requireTest(): void {
    if (!this.#over) return
    throw new ExpectError('TEST_ENDED', `A machine was asked for after "${this.#host.name}" had ended`)
  }
}

function firstLine(text: string): string {
  // A matcher’s first line has the runner’s colours.
  return stripVTControlCharacters(text.split('\n')[0] ?? '')
}
