/** Watches the console for one pattern of `failOn.custom`. Each match is an incident. */
import { ColdbootError } from '../../errors.ts'
import { ExpectBuffer } from '../match/expect-buffer.ts'
import type { Found } from '../match/pattern.ts'
import type { RegExpTimeout } from '../match/regexp/regexp-timeout.ts'
import type { CustomGuestFailure } from './guest-failure-options.ts'
import type { IncidentKind } from './incident-kinds.ts'

/** Most characters kept for a match that has started. */
const KEEP = 65_536

/** Searches all output for the pattern of one custom failure. Costs as much as one `expect`. */
export class CustomWatch {
  readonly kind: IncidentKind
  readonly #monitor: CustomGuestFailure
  readonly #context: { readonly regExpTimeout: RegExpTimeout; readonly onWarning: (message: string) => void }
  #buffer: ExpectBuffer | undefined

  constructor(
    monitor: CustomGuestFailure,
    context: { regExpTimeout: RegExpTimeout; onWarning: (message: string) => void },
  ) {
    this.#monitor = monitor
    this.#context = context
    this.kind = {
      name: monitor.name,
      code: 'GUEST_CUSTOM_FAILURE',
      what: `matched "${monitor.name}" of \`failOn.custom\``,
      byKernel: false,
      pattern: undefined,
      begins: [],
      quietMs: 50,
    }
    this.#buffer = this.#newBuffer()
  }

  /** Searches new output. @returns the text of a match */
  take(text: string): string | undefined {
    return this.#search((buffer) => buffer.push(text))
  }

  /** Searches the rest as complete output. Called at the end of the output. @returns the text of a match */
  finish(): string | undefined {
    return this.#search((buffer) => buffer.end())
  }

  #search(search: (buffer: ExpectBuffer) => Found | undefined): string | undefined {
    if (this.#buffer === undefined) return undefined
    try {
      const found = search(this.#buffer)
      // The rest of this chunk is not searched, because the machine has already failed.
      if (found !== undefined) this.#buffer = this.#newBuffer()
      return found?.text
    } catch (error) {
      this.#buffer = undefined
      const reason = ColdbootError.is(error) ? error.shortMessage : String(error)
      this.#context.onWarning(
        `The pattern "${this.#monitor.name}" of \`failOn.custom\` is not checked any more: ${reason}`,
      )
      return undefined
    }
  }

  #newBuffer(): ExpectBuffer {
    return new ExpectBuffer([this.#monitor.pattern], { regExpTimeout: this.#context.regExpTimeout, keep: KEEP })
  }
}
