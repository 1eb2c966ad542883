/**
 * What a test has asked of a guest and what is not over. A runner cannot tell whether somebody awaits a call; one that is
 * still at work when its test would pass was not awaited.
 */
import { CallSite } from '../host/call-site.ts'

/** A call that is not over. */
export interface PendingCall {
  /** As `run("sleep 60")`. */
  readonly call: string
  /** `file:line:column` of the call. */
  readonly location: string | undefined
  /** The call's own promise. */
  readonly result: Promise<unknown>
}

/** Characters of an argument that are shown. */
const SHOWN = 60

interface Entry {
  readonly call: string
  readonly site: CallSite
  result: Promise<unknown>
}

/** The calls of one machine. */
export class PendingCalls {
  readonly #entries = new Set<Entry>()

  /** Oldest first. */
  get list(): readonly PendingCall[] {
    return [...this.#entries].map(({ call, site, result }) => ({ call, location: site.location, result }))
  }

  /**
   * Counts a call as pending until it settles.
   * @param subject its first argument, for messages
   */
  track<T>(method: string, subject: unknown, work: () => Promise<T>): Promise<T> {
    const entry: Entry = { call: `${method}(${shown(subject)})`, site: new CallSite(), result: Promise.resolve() }
    this.#entries.add(entry)
    const result = this.#settled(entry, work)
    entry.result = result
    return result
  }

  // By `await`: the user's line is in the stacks of errors only across these.
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

function shown(subject: unknown): string {
  if (typeof subject !== 'string' && typeof subject !== 'number' && !Array.isArray(subject)) return ''
  const text = JSON.stringify(subject)
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text
}
