/**
 * Pool of machines for each template, which are prepared before they are needed. A few are restored, warmed up and
 * stopped, so the next start only needs a `cont`. After several starts at once, the pool also has launched machines,
 * which wait for their state and need little memory. {@link PoolWork} makes the machines.
 */
import { now } from '../../host/clock.ts'
import { type Admission, type AdmissionLimits, admitNow } from '../../host/machines/admission.ts'

/** Two machines with the same key are interchangeable. */
export interface PoolKey {
  /** Key of the template. */
  readonly key: string
  /** Identity of the differences between machines of one template, such as shared directories. */
  readonly identity: string
}

/** The input for making the next machines of a template. */
export interface PoolRecipe<Source> {
  readonly source: Source
  readonly memoryMib: number
  /** Limits of all machines. @default none: the pool ignores limits */
  readonly limits?: AdmissionLimits | undefined
  /** Whether further starts with this key are expected. If not, the pool waits for the second one. @default true */
  readonly isRepeated?: boolean | undefined
}

/** Makes and ends the machines of a pool. */
export interface PoolWork<Source, Machine> {
  /** Starts QEMU, which then waits for its state. */
  launch(source: Source): Promise<Machine>
  /**
   * Loads the state, then warms the machine up.
   * @param taken aborts when a start takes the machine, which then needs no warm-up
   */
  restore(machine: Machine, source: Source, taken: AbortSignal): Promise<void>
  /** Whether QEMU has ended. */
  isGone(machine: Machine): boolean
  discard(machine: Machine): Promise<void>
}

/** Most templates with pooled machines at once. */
const MOST_TEMPLATES = 4
/** Most pooled machines of a template. */
const MOST_MACHINES = 16
/** Longest time of a start, milliseconds. A start that fails, or whose worker is killed, does not report its end. */
const LONGEST_START_MS = 2_000

/** The machines of a template, the next one first. */
class TemplatePool<Source, Machine> {
  readonly identity: string
  readonly entries: PoolEntry<Source, Machine>[] = []
  #filled = false
  /** Times at which the starts have begun that have not ended, the first one first. */
  #starting: number[] = []
  /** For each of the last starts, the number of starts at that time, including it. */
  #levels: number[] = []
  /** Whether a start had to wait for its machine since the pool was filled. */
  #wasLate = false

  constructor(identity: string) {
    this.identity = identity
  }

  take(): PoolEntry<Source, Machine> | undefined {
    const next = this.entries.shift()
    const begin = now()
    this.#starting = [...this.#starting.filter((earlier) => begin - earlier < LONGEST_START_MS), begin]
    this.#levels = [...this.#levels, this.#starting.length].slice(-2 * MOST_MACHINES)
    this.#wasLate ||= this.#filled && !next?.settled
    return next
  }

  /** Notes the end of a start. */
  started(): void {
    // One that does not report its end stays the first one, until it is too old.
    this.#starting.pop()
  }

  fill(make: () => PoolEntry<Source, Machine>, mostRestored: number): void {
    this.#filled = true
    const wanted = this.#wanted()
    while (this.entries.length < wanted) this.entries.push(make())
    for (const entry of this.entries.slice(0, mostRestored)) entry.restore()
    this.#wasLate = false
  }

  /** Number of machines that the pool should have. */
  #wanted(): number {
    // A number of starts at once is expected again when it was reached twice: it may be that of a single test.
    const repeated = this.#levels.filter((level, index) => this.#levels.indexOf(level) < index)
    // Machines that are not ready in time are taken faster than they are restored.
    return Math.min(Math.max(...repeated, this.#wasLate ? 2 : 1), MOST_MACHINES)
  }
}

/** A machine of the pool, which may still be launching. */
class PoolEntry<Source, Machine> {
  /** Whether the work on the machine has ended, so that it only waits for a start. */
  settled = false
  readonly #work: PoolWork<Source, Machine>
  readonly #source: Source
  readonly #taken = new AbortController()
  #machine: Promise<Machine>
  #admission: Admission | undefined
  #restored = false

  constructor(work: PoolWork<Source, Machine>, { source, memoryMib, limits }: PoolRecipe<Source>) {
    this.#work = work
    this.#source = source
    this.#machine = this.#launch(memoryMib, limits)
    this.#settle()
  }

  /** Restores the machine after its launch. No effect if it was called before. */
  restore(): void {
    if (this.#restored) return
    this.#restored = true
    this.#machine = this.#machine.then(async (machine) => {
      try {
        await this.#work.restore(machine, this.#source, this.#taken.signal)
        return machine
      } catch (error) {
        await this.#work.discard(machine)
        throw error
      }
    })
    this.#settle()
  }

  /** Gives the restored machine to the caller. Undefined if the limits do not allow it, or if it failed. */
  async take(): Promise<Machine | undefined> {
    this.#taken.abort()
    this.restore()
    return this.#release()
  }

  async discard(): Promise<void> {
    const machine = await this.#release()
    if (machine !== undefined) await this.#work.discard(machine)
  }

  async #release(): Promise<Machine | undefined> {
    this.#taken.abort()
    try {
      const machine = await this.#machine
      if (!this.#work.isGone(machine)) return machine
      await this.#work.discard(machine)
      return undefined
    } catch {
      // If the pool has no machine, a start restores one itself.
      return undefined
    } finally {
      this.#admission?.[Symbol.dispose]()
    }
  }

  async #launch(memoryMib: number, limits: AdmissionLimits | undefined): Promise<Machine> {
    this.#admission = limits && (await admitNow(memoryMib, limits))
    if (limits !== undefined && this.#admission === undefined) throw new Error('the limits do not allow it')
    return this.#work.launch(this.#source)
  }

  #settle(): void {
    this.settled = false
    const machine = this.#machine
    const settle = (): void => {
      if (machine === this.#machine) this.settled = true
    }
    machine.then(settle, settle)
  }

  /** Resolves when the work on the machine has ended. */
  async idle(): Promise<void> {
    await this.#machine.catch(() => {})
  }
}

/** The pooled machines of all templates. */
export class MachinePool<Source, Machine> {
  readonly #work: PoolWork<Source, Machine>
  readonly #mostRestored: number
  /** Keys of templates whose machines differ between tests, so that the next machine cannot be predicted. */
  readonly #unpredictable = new Set<string>()
  /** Keys of all templates from which a machine was started. */
  readonly #started = new Set<string>()
  /** Pools by the key of the template, the least recently used first. */
  readonly #pools = new Map<string, TemplatePool<Source, Machine>>()

  /** @param mostRestored most restored machines of a template; further ones are only launched */
  constructor(work: PoolWork<Source, Machine>, mostRestored = 2) {
    this.#work = work
    this.#mostRestored = mostRestored
  }

  /** Makes the next machines of a template in the background, after a start that has called {@link take}. */
  refill({ key, identity }: PoolKey, recipe: PoolRecipe<Source>): void {
    if (this.#unpredictable.has(key)) return
    const pool = this.#pools.get(key) ?? new TemplatePool(identity)
    pool.started()
    // The pool may have been ended, and begun again by a start that differs.
    if (pool.identity !== identity) return void this.#giveUp(key)
    const isExpected = recipe.isRepeated !== false || this.#started.has(key)
    this.#started.add(key)
    if (!isExpected) return
    this.#pools.delete(key)
    this.#pools.set(key, pool)
    for (const unused of [...this.#pools.keys()].slice(0, -MOST_TEMPLATES)) this.#end(unused).catch(() => {})
    pool.fill(() => new PoolEntry(this.#work, recipe), this.#mostRestored)
  }

  /**
   * Takes the next machine, and waits until it is restored; undefined if there is none. If the requested machine
   * differs from the pooled ones, the pool of the template is ended and not filled again.
   */
  async take({ key, identity }: PoolKey): Promise<Machine | undefined> {
    if (this.#unpredictable.has(key)) return undefined
    const pool = this.#pools.get(key) ?? new TemplatePool(identity)
    this.#pools.set(key, pool)
    if (pool.identity !== identity) {
      await this.#giveUp(key)
      return undefined
    }
    // Removed from the pool before it is awaited, so that two concurrent starts do not get the same machine.
    return pool.take()?.take()
  }

  /** Resolves when all work on pooled machines has ended. */
  async settled(): Promise<void> {
    await Promise.all([...this.#pools.values()].flatMap(({ entries }) => entries.map((entry) => entry.idle())))
  }

  /** Ends all machines. */
  async end(): Promise<void> {
    await Promise.all([...this.#pools.keys()].map((key) => this.#end(key)))
  }

  /** Ends the pool of a template whose machines differ. Errors are ignored, because starts do not depend on it. */
  async #giveUp(key: string): Promise<void> {
    this.#unpredictable.add(key)
    await this.#end(key).catch(() => {})
  }

  async #end(key: string): Promise<void> {
    const entries = this.#pools.get(key)?.entries ?? []
    this.#pools.delete(key)
    await Promise.all(entries.map((entry) => entry.discard()))
  }
}
