/** The running machine of a VM and its checkpoints. A revert replaces the running machine, but the VM stays valid. */
import type { ExpectOptions } from '../console/expect/expect-options.ts'
import type { Incident } from '../console/incident/incident.ts'
import type { Match, PatternInput } from '../console/match/pattern.ts'
import type { ConsoleTerminal } from '../console/terminal/terminal.ts'
import { MachineError, OptionError } from '../errors.ts'
import { linkMachine } from '../events/shown-machine.ts'
import type { Guest } from '../guest/guest.ts'
import { anySignal } from '../host/any-signal.ts'
import { now } from '../host/clock.ts'
import { Turns } from '../host/machines/turns.ts'
import type { ExitStatus } from '../qemu/exit-status.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { Checkpoint } from './checkpoint.ts'
import { makeGuest } from './make-guest.ts'
import { reset } from './power/power-actions.ts'
import { powerOn } from './power/power-cut.ts'
import { attachScript, runAgentScript, type ScriptRunner } from './restore-attachment.ts'
import { type MachineState, RunningMachine } from './running-machine.ts'
import { launchSnapshot, type Snapshot, takeSnapshot } from './save/snapshot.ts'
import type { VM } from './vm.ts'
import { readyInside, waitUntilReady } from './wait-until-ready.ts'

/** A running machine that can return to its checkpoints. */
export class RevertibleMachine {
  readonly #vm: ScriptRunner
  readonly #terminal: ConsoleTerminal
  #running: RunningMachine
  #guest: Guest
  #ready: Promise<Match> | undefined
  /** Whether the `ready` pattern is awaited. */
  #isBooting = false
  /** Script that attaches devices again when the guest is ready after a reset; empty if there is nothing to do. */
  #attachAgain = ''
  readonly #ended = Promise.withResolvers<ExitStatus>()
  readonly #incidentListeners = new Set<(incident: Incident) => void>()
  readonly #checkpoints: Checkpoint[] = []
  /** Calls that replace or end QEMU. Otherwise, a new QEMU would outlive a `close()` that does not know it. */
  readonly #replacing = new Turns()
  #isReverting = false
  /** Whether the machine has ended, so that no other QEMU replaces it. */
  #isOver = false

  /**
   * @param vm identity of the machine for its devices
   * @param ready match of the `ready` pattern in recorded console output
   */
  constructor(vm: ScriptRunner, running: RunningMachine, ready: Match | undefined) {
    this.#vm = vm
    this.#running = running
    this.#ready = ready && Promise.resolve(ready)
    this.#guest = this.#makeGuest()
    this.#terminal = linkMachine(
      {
        text: () => this.#running.terminal.text(),
        line: (index) => this.#running.terminal.line(index),
        cursor: () => this.#running.terminal.cursor(),
        press: (key) => this.#running.terminal.press(key),
      },
      () => vm,
    )
    this.#watch(running)
  }

  get running(): RunningMachine {
    return this.#running
  }

  get guest(): Guest {
    return this.#guest
  }

  /** See `VM.terminal`. */
  get terminal(): ConsoleTerminal {
    return this.#terminal
  }

  /** See `VM.ended`. */
  get ended(): Promise<ExitStatus> {
    return this.#ended.promise
  }

  /** See `VM.onIncident`. */
  onIncident(listener: (incident: Incident) => void): Disposable {
    this.#incidentListeners.add(listener)
    return { [Symbol.dispose]: () => void this.#incidentListeners.delete(listener) }
  }

  /** See `VM.ready`. */
  ready(): Promise<Match> {
    this.#ready ??= this.#attached(this.#booted())
    return this.#ready
  }

  async #booted(): Promise<Match> {
    this.#isBooting = true
    try {
      return await waitUntilReady(this.#running.spec, (pattern, options) => this.expect(pattern, options))
    } finally {
      this.#isBooting = false
    }
  }

  async #attached(ready: Promise<Match>): Promise<Match> {
    const match = await ready
    const script = this.#attachAgain
    this.#attachAgain = ''
    // Commands of the test wait for the script, because they wait for `ready()`.
    await runAgentScript(this.#guest.starting, script)
    return match
  }

  /** See `VM.expect`. */
  expect(pattern: PatternInput, options: ExpectOptions): Promise<Match> {
    const { console, spec } = this.#running
    // An invalid value is passed on, so that the check of the options reports it.
    const given: AbortSignal | undefined = options?.signal
    const isInvalid = options === null || (given !== undefined && !(given instanceof AbortSignal))
    const signal = isInvalid ? given : anySignal(given, spec.signal)
    const wait = console.expect(pattern, signal === undefined ? options : { ...options, signal })
    if (spec.ready !== undefined) {
      // Checked even after the machine is ready, because the guest may reboot. Errors are ignored: the caller handles a
      // failed wait, and `ready()` reports a `ready` pattern that is too slow to match.
      wait.then((match) => this.#noteReady(match)).catch(() => {})
    }
    return wait
  }

  #noteReady(match: Match): void {
    if (this.#ready !== undefined) return
    const ready = readyInside(match, this.#running.spec)
    if (ready === undefined) return
    this.#ready = this.#attached(Promise.resolve(ready))
    // Not an unhandled rejection: `ready()` and the next command reject with the reason.
    this.#ready.catch(() => {})
  }

  /** Resumes the guest of a machine that was launched from a save. @param script to run in the guest; may be empty */
  async resumeGuest(script: string): Promise<void> {
    await this.#running.machine.qmp.execute('cont')
    await this.#guest.resync()
    await runAgentScript(this.#vm, script)
  }

  /** Checkpoints of the machine, the oldest first. */
  get checkpoints(): readonly Checkpoint[] {
    return this.#checkpoints
  }

  /** See `VM.checkpoint`. @param start starts another machine from the checkpoint */
  async checkpoint(start: (spec: MachineSpec, snapshot: Snapshot) => Promise<VM>): Promise<Checkpoint> {
    const begun = now()
    const snapshot = await takeSnapshot(this.#running, this.#guest)
    const name = `checkpoint ${this.#checkpoints.length + 1}`
    const checkpoint = new Checkpoint(name, snapshot, (spec) => start(spec, snapshot))
    this.#checkpoints.push(checkpoint)
    this.#running.onEvent?.({ kind: 'checkpoint', name, duration: now() - begun })
    return checkpoint
  }

  /** See `VM.revert`. */
  revert(checkpoint: Checkpoint): Promise<void> {
    return this.#replacing.run(() => this.#checkedRevert(checkpoint))
  }

  async #checkedRevert(checkpoint: Checkpoint): Promise<void> {
    const machine = `Machine "${this.#running.spec.name}"`
    if (!this.#checkpoints.includes(checkpoint) || checkpoint.isRemoved) {
      if (!(checkpoint instanceof Checkpoint)) {
        throw new OptionError('INVALID_OPTION', `revert: \`checkpoint\` must be the result of \`checkpoint()\``)
      }
      if (checkpoint.isRemoved) {
        throw new OptionError('CHECKPOINT_GONE', `${machine} cannot go back: ${checkpoint.name} was removed`)
      }
      throw new OptionError(
        'CHECKPOINT_GONE',
        `${machine} cannot go back: ${checkpoint.name} belongs to another machine`,
        {
          hint: 'To start another machine from it, call `checkpoint.start()`.',
        },
      )
    }
    if (this.#isOver || this.state === 'exited') throw this.#hasEnded()
    this.#isReverting = true
    try {
      await checkpoint.use(() => this.#revert(checkpoint))
    } finally {
      this.#isReverting = false
    }
  }

  /** See `VM.reset`. */
  async reset(): Promise<void> {
    await reset(this.#running)
    this.#bootAgain()
  }

  /** After a reset by the test or by the guest, waits for the next boot. */
  #bootAgain(): void {
    // A pending wait for the boot is kept, because it resolves after the next boot.
    if (!this.#isBooting) this.#ready = undefined
    // A restored machine has no mounts in its kernel command line, so its directories are attached after the boot.
    this.#attachAgain = attachScript(this.#running.spec)
  }

  /** See `VM.powerOn`. */
  powerOn(): Promise<void> {
    return this.#replacing.run(async () => {
      if (this.#isOver && this.#running.isReplaced) throw this.#hasEnded()
      const running = await powerOn(this.#running)
      this.#replaceBy(running)
      this.#watch(running)
      await running.begin(this.#vm)
    })
  }

  /** See `VM.state`. */
  get state(): MachineState {
    return this.#running.isReplaced && !this.#isReverting ? 'off' : this.#running.state
  }

  /** See `VM.close`. */
  close(): Promise<ExitStatus> {
    return this.#replacing.run(async () => {
      const status = await this.#running.close()
      // Settles `ended` of a machine that is off after a power cut.
      this.#end(status)
      return status
    })
  }

  #end(status: ExitStatus): void {
    this.#isOver = true
    this.#ended.resolve(status)
  }

  #hasEnded(): MachineError {
    return new MachineError('MACHINE_EXITED', `Machine "${this.#running.spec.name}" has ended already`)
  }

  async #revert({ name, snapshot }: Checkpoint): Promise<void> {
    const begun = now()
    const old = this.#running
    const { spec } = old
    let running: RunningMachine | undefined
    try {
      await old.replace(`reverted to ${name}`)
      await old.discard()
      const launched = await launchSnapshot(spec, snapshot)
      running = await RunningMachine.adopt(launched.spec, launched, snapshot.console, old)
      this.#replaceBy(running)
      const ready = spec.ready === undefined ? undefined : running.console.hasPrinted(spec.ready)
      this.#ready = ready && Promise.resolve(ready)
      await running.attach(this.#vm)
      await this.resumeGuest(attachScript(launched.spec))
      this.#watch(running)
      running.onEvent?.({ kind: 'revert', name, duration: now() - begun })
    } catch (error) {
      this.#end(await (running?.close() ?? old.ended))
      throw error
    }
  }

  #replaceBy(running: RunningMachine): void {
    this.#running = running
    this.#guest = this.#makeGuest()
    this.#ready = undefined
    this.#isBooting = false
    this.#attachAgain = ''
  }

  #makeGuest(): Guest {
    return makeGuest({ vm: this.#vm, running: this.#running, ready: () => this.ready() })
  }

  #watch(running: RunningMachine): void {
    running.machine.qmp.onEvent(({ event }) => {
      if (event === 'RESET' && this.#running === running) this.#bootAgain()
    })
    running.onIncident((incident) => {
      for (const listener of [...this.#incidentListeners]) listener(incident)
    })
    void running.ended.then((status) => {
      if (this.#running === running && !running.isReplaced) this.#end(status)
    })
  }
}
