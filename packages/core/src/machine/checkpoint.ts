/** Checkpoint: a saved state to which a running machine can return, and from which other machines can start. */
import { OptionError } from '../errors.ts'
import { checkTable } from '../options/checked-options.ts'
import { type MachineSpec, withOverrides, withoutOutputs } from '../spec/machine-spec.ts'
import { RESTORE_CHECKS, type RestoreOverrides } from '../spec/restore-overrides.ts'
import type { Snapshot } from './save/snapshot.ts'
import type { VM } from './vm.ts'

/** A checkpoint, created by `vm.checkpoint()`. `await using` removes it at the end of the block. */
export class Checkpoint implements AsyncDisposable {
  /** Name, such as `checkpoint 1` for the first one of its machine. */
  readonly name: string
  /** @internal */
  readonly snapshot: Snapshot
  readonly #start: (spec: MachineSpec) => Promise<VM>
  readonly #machines: VM[] = []
  /** Starts and reverts that still read the files. */
  readonly #uses = new Set<Promise<unknown>>()
  #removed: Promise<void> | undefined

  /** @internal Use `vm.checkpoint()`. */
  constructor(name: string, snapshot: Snapshot, start: (spec: MachineSpec) => Promise<VM>) {
    this.name = name
    this.snapshot = snapshot
    this.#start = start
  }

  /** The complete, validated options of the machine. */
  get spec(): MachineSpec {
    return this.snapshot.spec
  }

  get isRemoved(): boolean {
    return this.#removed !== undefined
  }

  /** Machines that were started from the checkpoint. */
  get machines(): readonly VM[] {
    return this.#machines
  }

  /**
   * Starts another machine from the checkpoint. May be called several times. The new machine does not inherit the log
   * and the output streams.
   *
   * @throws OptionError `CHECKPOINT_GONE`; `DEVICE_CONFLICT` when a running machine uses a device that cannot be
   * shared, such as a network card; `UNKNOWN_OPTION`, `INVALID_OPTION`
   * @throws StartError, MachineError when the checkpoint cannot be restored
   */
  async start(overrides: RestoreOverrides = {}): Promise<VM> {
    checkTable('checkpoint.start', overrides, RESTORE_CHECKS)
    if (this.isRemoved)
      throw new OptionError('CHECKPOINT_GONE', `No machine can be started from ${this.name}: it was removed`)
    const vm = await this.use(() => this.#start(withOverrides(withoutOutputs(this.spec), overrides)))
    this.#machines.push(vm)
    return vm
  }

  /** @internal Keeps the files until the job has ended. */
  async use<T>(job: () => Promise<T>): Promise<T> {
    const use = job()
    this.#uses.add(use)
    try {
      return await use
    } finally {
      this.#uses.delete(use)
    }
  }

  /**
   * Removes the files of the checkpoint, after the starts and reverts that still read them. Machines started from it
   * keep running. Idempotent.
   */
  remove(): Promise<void> {
    this.#removed ??= Promise.allSettled(this.#uses).then(() => this.snapshot.remove())
    return this.#removed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.remove()
  }
}
