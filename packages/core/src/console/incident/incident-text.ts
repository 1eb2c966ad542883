/** The text of one incident while it is being printed: which lines belong to it, and what it turns out to be. */

import { kernelMessage } from '../text/kernel-line.ts'
import type { IncidentKind } from './incident-kinds.ts'

/** Lines of an incident that are kept, and characters of each. */
const MOST_LINES = 200
const MOST_CHARACTERS = 1_000

/** What follows a real panic or oops. A line that only looks like one, as a program may print it, stands alone. */
const PROOF =
  /^(?:CPU: \d|Call Trace|Call trace|Hardware name|Kernel Offset|---\[ |Modules linked in|#PF: |PGD |RIP: |Rebooting in|Backtrace|pc : |PC is at|epc ?: |NIP |PSW ?: |Krnl PSW|Comm: |Mem-Info|Task dump|Tainted: )/

/** Lines that belong together. */
export class IncidentText {
  /** What was recognised, with the line that told it. */
  readonly kinds: Map<IncidentKind, string> = new Map()
  readonly startedAt: number
  /** Whether its last line was seen. */
  ended = false
  readonly #lines: string[] = []
  #stamped = false
  #proven: boolean
  #hearsay: string | undefined

  /** @param proven whether it is known to be real, whatever is printed */
  constructor(startedAt: number, proven: boolean) {
    this.startedAt = startedAt
    this.#proven = proven
  }

  /** Whether it is more than a line that looks like one of the kernel's. */
  get proven(): boolean {
    return this.#proven
  }

  /** The lines, stamps included. */
  get excerpt(): string {
    return this.#lines.join('\n')
  }

  /** The silence after which nothing more is to come, milliseconds before the multiplier. */
  get quietMs(): number {
    return Math.max(...[...this.kinds.keys()].map(({ quietMs }) => quietMs))
  }

  /** QEMU told of it. The guest's own words, if there are any, are better. */
  learn(kind: IncidentKind, message: string): void {
    if (!this.kinds.has(kind)) this.kinds.set(kind, message)
    if (!this.#lines.length) this.#hearsay = message
    this.#proven = true
  }

  /** Something was recognised in the line to be added next. */
  recognise(kind: IncidentKind, message: string, stamped: boolean): void {
    const known = this.kinds.get(kind)
    if (known === undefined || known === this.#hearsay) this.kinds.set(kind, message)
    this.ended = false
    if (stamped) this.#stamped = true
    if (stamped || !kind.byKernel) this.#proven = true
  }

  add(line: string): void {
    if (this.ended) return
    const { stamped, start, text } = kernelMessage(line)
    if (!this.#proven && !stamped && PROOF.test(text)) this.#proven = true
    if (this.#stamped && !stamped) return
    if (this.#lines.length < MOST_LINES) this.#lines.push(line.slice(stamped ? start : 0).slice(0, MOST_CHARACTERS))
    this.ended = [...this.kinds.keys()].some(({ end }) => end?.test(text) === true)
  }
}
