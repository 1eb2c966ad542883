/** Stores the durations of activities in the cache folder between runs. */
import { Cache, readEnvironment } from '@coldboot/core/internal'

const FILE = 'durations.json'

/** The record in the cache folder. The environment is read when the object is created. */
export class DurationRecord {
  readonly #cache = new Cache(readEnvironment().cacheDirectory)
  #written: Promise<void> = Promise.resolve()

  /** Resolves when all durations so far are written. */
  get written(): Promise<void> {
    return this.#written
  }

  /** Kind → milliseconds. Empty without a record. */
  async read(): Promise<ReadonlyMap<string, number>> {
    const stored: unknown = await this.#cache.readJson(FILE)
    const entries = typeof stored === 'object' && stored !== null ? Object.entries(stored) : []
    return new Map(entries.filter((entry): entry is [string, number] => typeof entry[1] === 'number'))
  }

  /** Records a duration. Ignores a cache that is not writable. */
  async write(kind: string, milliseconds: number): Promise<void> {
    // Writes are serialized: concurrent writers would overwrite each other's durations.
    this.#written = this.#written.then(async () => {
      try {
        const known = Object.fromEntries(await this.read())
        await this.#cache.publish(FILE, JSON.stringify({ ...known, [kind]: Math.round(milliseconds) }))
      } catch {
        return
      }
    })
    await this.#written
  }
}
