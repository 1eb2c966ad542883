/**
 * Tracks the pending calls of a test into the guest. A call that is still pending when its test passes was not awaited.
 */
import { CallSite } from '../host/call-site.ts'

/** A pending call. */
export interface PendingCall {
  /** The call, such as `run("sleep 60")`. */
  readonly call: string
  /** `file:line:column` of the call. */
  readonly location: string | undefined
  /** The promise of the call. */
  readonly result: Promise<unknown>
}

/** Most characters of an argument that are shown. */
const SHOWN = 60

interface Entry {
  readonly call: string
  readonly site: CallSite
  result: Promise<unknown>
}

/** The calls of one machine. */
export class PendingCalls {
  readonly #entries = new Set<Entry>()

  /** Pending calls, the oldest first. */
  get list(): readonly PendingCall[] {
    return [...this.#entries].map(({ call, site, result }) => ({ call, location: site.location, result }))
  }

  /**
   * Tracks a call until it settles.
   * @param subject first argument of the call, for messages
   */
  track<T>(method: string, subject: unknown, work: () => Promise<T>): Promise<T> {
    const entry: Entry = { call: `${method}(${shown(subject)})`, site: new CallSite(), result: Promise.resolve() }
    this.#entries.add(entry)
    const result = this.#settled(entry, work)
    entry.result = result
    return result
  }

  // Must use `await`, because only then the stack of an error contains the user's line.
  async #settled<T>(entry: Entry, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw entry.site.complete(error)
    } finally {
      this.#entries.delete(entry)
    }
  }
}

const isWord = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number'

function shown(subject: unknown): string {
  const isShown = Array.isArray(subject) ? subject.every(isWord) : isWord(subject)
  if (!isShown) return ''
  const text = JSON.stringify(subject)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
