/** Manages the VMs of one test attempt: starts them on request, ends them with the test, keeps their files on failure. */
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { ColdbootError, ExpectError, type VM, type VMOptions } from '@coldboot/core'
import {
  CallSite,
  checkVMOptions,
  cleanUp,
  nodeCrypto,
  RESTORE_CHECKS,
  readEnvironment,
  requireObject,
  startReady,
} from '@coldboot/core/internal'
import {
  type ArtifactOptions,
  artifactRoot,
  attemptDirectory,
  attempted,
  type GuestTestRecord,
  type MachineRecord,
  machineFolder,
  makeFile,
  Redactor,
  type ResolvedArtifacts,
  removeDirectory,
  resolveArtifacts,
  resumeCommand,
} from '@coldboot/report'
import { MachineRecorder } from '@coldboot/report/recorder'
import type { AttemptHost } from './attempt-host.ts'
import { withGuest } from './default-guest.ts'
import { endMachine } from './end-machine.ts'
import { forgottenAwait } from './forgotten-await.ts'
import { GuestTests } from './guest-tests.ts'
import { MachineNames } from './machine-names.ts'
import { type Progress, startProgress } from './progress/start-progress.ts'
import { redactErrors } from './redact-errors.ts'
import { addSections, placeOf, type ReportedError } from './reported-error.ts'
import { settleAll } from './settle-all.ts'

const DEFAULT_NAME = 'vm'

/** The VMs of one test attempt. Create it at the start, and always call {@link end} at the end. */
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
  readonly #owner = nodeCrypto().randomBytes(8).toString('hex')
  readonly #machines: VM[] = []
  /** Pending start → its caller. */
  readonly #starting = new Map<Promise<VM>, CallSite>()
  #over = false

  /**
   * @param base default options of each VM
   * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION` for bad artifact options
   */
  constructor(host: AttemptHost, base: VMOptions, artifacts: ArtifactOptions = {}) {
    this.#artifacts = resolveArtifacts(artifacts)
    this.#redactor = new Redactor(this.#artifacts.redact)
    this.#guestTests = new GuestTests(host.attempt, this.#redactor, host.onGuestTests)
    this.#host = host
    this.#base = base
    this.#directory = attemptDirectory(host.attempt)
    this.#root = artifactRoot(host.attempt)
    // Files of an earlier run must not appear among the new ones.
    removeDirectory(this.#directory, this.#root)
  }

  /** All VMs that were started, including those whose boot failed. */
  get started(): readonly VM[] {
    return this.#machines
  }

  /** Results of the tests that ran inside the guests. */
  get guestTests(): readonly GuestTestRecord[] {
    return this.#guestTests.records
  }

  /** Whether files are kept when the test passes. */
  get keptAlways(): boolean {
    return this.#artifacts.retain === 'always' || this.#artifacts.machine === 'always'
  }

  /**
   * Starts a VM and waits until it is ready. The test's clock is stopped meanwhile.
   *
   * @param isRepeated whether further tests are expected to start the same VM, so that the pool restores the next one
   * immediately. By default, true if `options` has no option except `name`
   */
  boot(options: VMOptions = {}, isRepeated?: boolean): Promise<VM> {
    const site = new CallSite()
    const start = this.#boot(options, isRepeated).catch((error: unknown) => {
      throw site.complete(error)
    })
    this.#starting.set(start, site)
    const settled = (): boolean => this.#starting.delete(start)
    start.then(settled, settled)
    return start
  }

  /** The error for a test that ended with a pending wait; undefined without one. */
  forgottenAwait(): ExpectError | undefined {
    return forgottenAwait(this.#machines, [...this.#starting.values()])
  }

  /** Refuses to start VMs from now on. */
  stopStarting(): void {
    this.#over = true
  }

  /**
   * Saves the machines that still run, if the options ask for it, and adds to the last error how to resume them.
   * @param failed whether the attempt has failed
   */
  async saveMachines(errors: readonly ReportedError[], failed: boolean): Promise<void> {
    const { machine } = this.#artifacts
    if (machine === 'never' || (machine === 'on-failure' && !failed)) return
    const commands: Record<string, string> = {}
    for (const [vm, recorder] of this.#recorders) {
      const file = await recorder.saveMachine(vm)
      const title = this.#recorders.size > 1 ? `Resume "${vm.name}"` : 'Resume this machine'
      if (file !== undefined) commands[title] = resumeCommand(file, process.cwd())
    }
    addSections(errors, commands)
  }

  /** Removes secrets from errors. Call it last, when the errors contain the console output. */
  redact(errors: readonly object[]): void {
    redactErrors(errors, this.#redactor)
  }

  /** Records the errors of a test that has just failed, and keeps screenshots and journals. */
  async captureFailure(errors: readonly ReportedError[]): Promise<void> {
    // For a debugger, the guest is stopped as close to the failure as possible.
    if (readEnvironment().debug === 'gdb') {
      await Promise.allSettled(this.#machines.filter(isRunning).map((vm) => vm.pause()))
    }
    for (const recorder of this.#recorders.values()) {
      for (const { message, stack } of errors) recorder.noteError(firstLine(message), placeOf(stack))
    }
    await Promise.all(
      [...this.#recorders].flatMap(([vm, recorder]) => [recorder.takeScreenshots(vm), recorder.keepJournal(vm)]),
    )
  }

  /**
   * Opens the console of each VM that still runs after a failure, when COLDBOOT_DEBUG is `on-failure` or `gdb`.
   */
  async debugFailure(errors: readonly ReportedError[]): Promise<void> {
    const { debug } = readEnvironment()
    if (debug === undefined) return
    // The VM's own signal has already aborted if the test timed out.
    const { signal } = new AbortController()
    for (const vm of this.#machines.filter(isRunning)) {
      const why = errors.map(({ message }) => firstLine(message)).join('\n')
      try {
        await vm.debug({ message: `"${this.#host.name}" has failed: ${why}`, signal, gdb: debug === 'gdb' })
      } catch (error) {
        if (!ColdbootError.is(error) || error.code !== 'NO_TERMINAL') throw error
        process.emitWarning(`COLDBOOT_DEBUG has no effect: ${error.shortMessage}.`, 'ColdbootWarning')
        return
      }
    }
  }

  /**
   * Ends all VMs, including those that are still starting. Call {@link keep} or {@link discard} afterwards, also if it
   * rejects.
   *
   * @throws the first error, after all have ended
   */
  async end(): Promise<void> {
    this.stopStarting()
    await Promise.allSettled(this.#starting.keys())
    await settleAll(this.#machines.map(endMachine))
  }

  /**
   * Completes the files, after {@link end}. Writes nothing when `retain` is `never`.
   *
   * @param errors messages of the test's errors
   * @returns a record of each VM's files
   */
  async keep(errors: readonly string[]): Promise<readonly MachineRecord[]> {
    const recorders = [...this.#recorders.values()]
    const records = await settleAll(recorders.map((recorder) => recorder.finish(errors)))
    return records.filter((record) => record !== undefined)
  }

  /** Removes the files, after {@link end}. */
  async discard(): Promise<void> {
    await cleanUp(
      () => settleAll([...this.#recorders.values()].map((recorder) => recorder.stop())),
      () => removeDirectory(this.#directory, this.#root),
    )
  }

  async #boot(options: VMOptions, isRepeated: boolean | undefined): Promise<VM> {
    this.#requireTest()
    requireObject('`vmOptions`', this.#base)
    requireObject('the options of the machine', options)
    const asked = options.from ? { ...overridesIn(this.#base), ...options } : { ...this.#base, ...options }
    checkVMOptions(asked)
    const name = this.#names.take(options.name, this.#base.name ?? DEFAULT_NAME)
    using _hold = this.#host.hold()
    const complete = asked.from ? asked : await withGuest(asked)
    this.#requireTest()
    // `await` keeps the clock stopped until the VM is ready.
    return await this.#start({ ...complete, name }, isRepeated ?? isDefault(options))
  }

  async #start(options: VMOptions & { readonly name: string }, isRepeated: boolean): Promise<VM> {
    const { waits } = this.#host
    const signal = options.signal ? AbortSignal.any([options.signal, waits]) : waits
    const directory = join(this.#directory, machineFolder(options.name))
    const recorder = this.#recorder(directory)
    const recorded = this.#guestTests.watching(recorder ? recorder.watching(options) : options)
    let booting: VM | undefined
    let progress: Progress | undefined
    const add = (vm: VM): void => {
      this.#machines.push(vm)
      if (recorder) this.#recorders.set(vm, recorder)
      recorder?.film(vm)
    }
    try {
      const aroundDebug = (session: () => Promise<void>): Promise<void> => this.#debug(session)
      const onBoot = (machine: VM): void => {
        booting = machine
        recorder?.film(machine)
        progress ??= startProgress(bootTitle(options), `boot-${machine.spec.arch}`)
      }
      const pooled = options.from === undefined ? { pool: true } : {}
      const asked = { ...pooled, aroundDebug, ...recorded, signal }
      const onRestore = (machine: VM): void => recorder?.film(machine)
      const { keeper } = this.#host
      const vm = await startReady(asked, { onBoot, onRestore, owner: this.#owner, keeper, isRepeated })
      add(vm)
      progress?.end()
      return vm
    } catch (error) {
      progress?.end('failed')
      // The console of a VM that was booting explains the error. Without a VM there is nothing to keep.
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
    // The result of the test does not depend on its files.
    if (!attempted('The files of a machine', () => makeFile(join(directory, 'console.log')))) return undefined
    const { attempt } = this.#host
    return new MachineRecorder({ directory, attempt, artifacts: this.#artifacts, redactor: this.#redactor })
  }

  #requireTest(): void {
    if (!this.#over) return
    throw new ExpectError('TEST_ENDED', `A machine was requested after the test "${this.#host.name}" had ended`)
  }
}

function isRunning({ state }: VM): boolean {
  return state === 'running'
}

/** Whether the options of a start contain at most the name. */
function isDefault(options: VMOptions): boolean {
  return Object.keys(options).every((option) => option === 'name')
}

function bootTitle({ name, ready, template }: VMOptions & { readonly name: string }): string {
  const isSaved = ready !== undefined && template !== 'off'
  return isSaved ? `Booting "${name}" once, to start tests from its saved state` : `Booting "${name}"`
}

function firstLine(text: string): string {
  // The first line of a matcher's message contains color codes.
  return stripVTControlCharacters(text.split('\n')[0] ?? '')
}

/** Selects the options that can differ between machines of one checkpoint. */
function overridesIn(options: VMOptions): VMOptions {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(RESTORE_CHECKS, name)))
}
