/**
 * Queue of the pending waits of a console, in the order of their calls, and the cursor, which moves to the end of each
 * match.
 */
import { ColdbootError } from '../../errors.ts'
import type { ExpectEvent, MachineEvent } from '../../events/machine-event.ts'
import { now } from '../../host/clock.ts'
import { BOOT_CHARACTERS } from '../failure/boot-stage.ts'
import { SEARCHED_CHARACTERS } from '../failure/diagnosis.ts'
import * as failures from '../failure/expect-failure.ts'
import { TAIL_CHARACTERS } from '../failure/last-lines.ts'
import { ExpectBuffer } from '../match/expect-buffer.ts'
import { describePatterns, type Found, type Match, toMatch } from '../match/pattern.ts'
import type { RegExpTimeout } from '../match/regexp/regexp-timeout.ts'
import type { Additions, ConsoleText, ViewName } from '../text/console-text.ts'
import { QuietTimer } from './quiet-timer.ts'
import { Wait, type WaitRequest } from './wait.ts'

/** Options of {@link WaitQueue}. */
export interface WaitQueueOptions {
  readonly text: ConsoleText
  readonly regExpTimeout: RegExpTimeout
  /** Most characters kept for a match that has started. */
  readonly keep: number
  /** Silence after which a match is accepted although further output could make it longer, milliseconds. */
  readonly patientMs: number
  /** Time of the last byte, on the clock of `now()`. */
  readonly lastByteAt: () => number | undefined
  /** Receives the start and the end of each wait. */
  readonly onEvent?: ((event: MachineEvent) => void) | undefined
  /** Returns the facts for errors that are the same for all waits of the console. */
  readonly describe: () => Pick<failures.FailureFacts, 'name' | 'bytes' | 'context'>
}

/** The position up to which matches have consumed the output. */
interface Cursor {
  /** Position in the raw stream. */
  readonly position: number
  /** View of the last match. */
  readonly view: ViewName
  /**
   * Offset in this view. More exact than `position`, because several raw characters may map to one character of a view.
   */
  readonly offset: number
}

/** The waits of one console. */
export class WaitQueue {
  readonly #options: WaitQueueOptions
  readonly #quietTimer: QuietTimer
  readonly #waits: Wait[] = []
  #previousMatch: string | undefined
  #lastId = 0
  #cursor: Cursor = { position: 0, view: 'clean', offset: 0 }
  /** Position to which {@link consumeAll} last moved the cursor. */
  #consumed = 0
  /** Creates the error for waits after the end; undefined before it. */
  #end: ((facts: failures.FailureFacts) => Error) | undefined

  constructor(options: WaitQueueOptions) {
    this.#options = options
    this.#quietTimer = new QuietTimer(
      {
        quietMs: () => now() - (options.lastByteAt() ?? 0),
        wanted: () => this.#waits[0]?.activeSearch?.buffer.undecided === true,
        attempt: (patient) => {
          const wait = this.#waits[0]
          if (wait !== undefined) this.#search(wait, (buffer) => buffer.settle(patient))
          this.#serve()
        },
      },
      options.patientMs,
    )
  }

  /** Pending waits, oldest first. */
  get waits(): readonly Wait[] {
    return this.#waits
  }

  /** Queues a wait. If it is the first in the queue and the output so far matches, it is settled at once. */
  add(request: WaitRequest): Promise<Match> {
    const wait = new Wait(request, ++this.#lastId, now(), {
      deadline: () => this.#timeUp(wait, failures.timedOut),
      idle: () => {
        const left = request.idleMs - (now() - Math.max(wait.startedAt, this.#options.lastByteAt() ?? 0))
        if (left <= 0) this.#timeUp(wait, (facts) => failures.fellSilent(facts, request.idleMs))
        return left
      },
      abort: () => this.#abort(wait),
    })
    this.#waits.push(wait)
    this.#options.onEvent?.({ kind: 'expect', ...this.#eventOf(wait) })
    if (request.signal?.aborted === true) this.#abort(wait)
    this.#serve()
    return wait.promise
  }

  /** Moves the cursor to the end of the output. A search that has started keeps its position. */
  consumeAll(): void {
    const position = this.#options.text.end
    this.#consumed = position
    this.#cursor = { position, view: 'raw', offset: position }
  }

  /** Searches new output. */
  take(additions: Additions): void {
    const wait = this.#waits[0]
    const added = wait === undefined ? undefined : additions[wait.request.view]
    if (wait !== undefined && added !== undefined) this.#search(wait, (buffer) => buffer.push(added))
    this.#serve()
  }

  /** Ends the output. Rejects pending and later waits, unless the output so far matches. */
  end(reason: Error): void {
    this.#end ??= (facts) => failures.exited(facts, reason)
    this.#serve()
    this.#quietTimer.stop()
  }

  /** Same as {@link end}, after a guest failure, when the machine may still print. */
  fail(error: (facts: failures.FailureFacts) => Error): void {
    this.#end ??= error
    this.#serve()
  }

  /** Starts the search of each wait, in order, until a wait stays pending. */
  #serve(): void {
    for (let wait = this.#waits[0]; wait !== undefined; wait = this.#waits[0]) {
      if (wait.activeSearch === undefined) this.#begin(wait)
      if (!wait.over && this.#end !== undefined) this.#conclude(wait, this.#end)
      if (!wait.over) break
    }
    this.#quietTimer.arm()
  }

  #begin(wait: Wait): void {
    const { text, regExpTimeout, keep } = this.#options
    const { patterns, view: name } = wait.request
    const view = text.view(name)
    const { position, offset } = this.#cursor
    const origin = name === this.#cursor.view ? Math.max(offset, view.start) : view.fromStream(position)
    const buffer = new ExpectBuffer(patterns, { regExpTimeout, keep })
    wait.activeSearch = { buffer, origin, dropped: Math.max(0, text.start - position) }
    this.#search(wait, () => buffer.push(view.slice(origin)))
  }

  #conclude(wait: Wait, error: (facts: failures.FailureFacts) => Error): void {
    this.#search(wait, (buffer) => buffer.end())
    if (!wait.over) this.#fail(wait, error)
  }

  #timeUp(wait: Wait, error: (facts: failures.FailureFacts) => Error): void {
    this.#search(wait, (buffer) => buffer.end())
    if (!wait.over) this.#fail(wait, error)
    this.#serve()
  }

  #abort(wait: Wait): void {
    this.#fail(wait, (facts) => failures.aborted(facts, wait.request.signal?.reason))
    this.#serve()
  }

  /** Continues the search of a wait if it has started, and settles the wait if the search finds a match or throws. */
  #search(wait: Wait, search: (buffer: ExpectBuffer) => Found | undefined): void {
    const { activeSearch } = wait
    if (activeSearch === undefined) return
    try {
      const found = search(activeSearch.buffer)
      if (found !== undefined) this.#match(wait, activeSearch.origin, activeSearch.dropped, found)
    } catch (error) {
      this.#fail(wait, (facts) => failures.inContext(facts, error))
    }
  }

  #match(wait: Wait, origin: number, missing: number, found: Found): void {
    const { patterns, view: name } = wait.request
    const view = this.#options.text.view(name)
    const before = view.slice(origin, origin + found.start)
    const dropped = missing + (found.start - before.length)
    const offset = origin + found.end
    const position = view.toStream(offset)
    // A search may have started before `consumeAll`. Its match must not move the cursor back.
    if (position > this.#consumed) {
      this.#cursor = { position: Math.max(this.#cursor.position, position), view: name, offset }
    }
    this.#previousMatch = found.text
    this.#remove(wait)
    this.#options.onEvent?.({
      kind: 'match',
      ...this.#eventOf(wait),
      text: found.text,
      duration: now() - wait.startedAt,
    })
    wait.resolve(toMatch(found, patterns, before, dropped))
  }

  #fail(wait: Wait, error: (facts: failures.FailureFacts) => Error): void {
    const facts = this.#facts(wait)
    this.#remove(wait)
    const reason = error(facts)
    const { onEvent } = this.#options
    if (onEvent) {
      const { code, shortMessage: message } = ColdbootError.is(reason)
        ? reason
        : { code: 'Error', shortMessage: reason.message }
      onEvent({ kind: 'unmatched', ...this.#eventOf(wait), code, message, duration: now() - wait.startedAt })
    }
    wait.reject(reason)
  }

  #eventOf({ id, request }: Wait): Omit<ExpectEvent, 'kind'> {
    const { patterns, timeoutMs, callSite } = request
    return { id, pattern: describePatterns(patterns), timeoutMs, location: callSite.location }
  }

  #remove(wait: Wait): void {
    this.#waits.splice(this.#waits.indexOf(wait), 1)
  }

  #evidence(view: ViewName): failures.FailureFacts['evidence'] {
    const { text, regExpTimeout } = this.#options
    const { position } = this.#cursor
    const afterCursor = (name: ViewName): string => {
      const seen = text.view(name)
      return seen.slice(Math.max(seen.fromStream(position), seen.end - SEARCHED_CHARACTERS))
    }
    const clean = text.view('clean')
    const at = clean.fromStream(position)
    return {
      regExpTimeout,
      searched: {
        view,
        clean: afterCursor('clean'),
        raw: afterCursor('raw'),
        userspace: afterCursor('userspace'),
        consumed: clean.slice(Math.max(0, at - SEARCHED_CHARACTERS), at),
      },
      start: clean.start === 0 ? clean.slice(0, BOOT_CHARACTERS) : undefined,
      previousMatch: this.#previousMatch,
    }
  }

  #facts(wait: Wait): failures.FailureFacts {
    const { text, lastByteAt, describe } = this.#options
    const view = text.view(wait.request.view)
    const clean = text.view('clean')
    const { origin, dropped } = wait.activeSearch ?? { origin: view.end, dropped: 0 }
    const lost = dropped + Math.max(0, view.start - origin)
    const first = this.#waits[0]
    const last = lastByteAt()
    return {
      ...describe(),
      patterns: wait.request.patterns,
      elapsedMs: now() - wait.startedAt,
      silentMs: last === undefined ? undefined : now() - last,
      unmatched: view.end - origin + dropped,
      dropped: lost,
      behind: first === undefined || first === wait ? undefined : describePatterns(first.request.patterns),
      evidence: this.#evidence(wait.request.view),
      tail: clean.slice(clean.end - TAIL_CHARACTERS),
      frames: wait.request.callSite.frames,
    }
  }
}
