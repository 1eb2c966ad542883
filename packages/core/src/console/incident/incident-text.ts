/** Collects the lines of one incident while they are printed, and the matching kinds. */

import { kernelMessage } from '../text/kernel-line.ts'
import type { IncidentKind } from './incident-kinds.ts'

/** Most lines of an incident, and most characters of a line. */
const MOST_LINES = 200
const MOST_CHARACTERS = 1_000

/** Lines that follow a real panic or oops, but not text of a program that looks like one. */
const PROOF =
  /^(?:CPU: \d|Call Trace|Call trace|Hardware name|Kernel Offset|---\[ |Modules linked in|#PF: |PGD |RIP: |Rebooting in|Backtrace|pc : |PC is at|epc ?: |NIP |PSW ?: |Krnl PSW|Comm: |Mem-Info|Task dump|Tainted: )/

/** The text of one incident. */
export class IncidentText {
  /** The recognized kinds, each with its first line. */
  readonly kinds: Map<IncidentKind, string> = new Map()
  readonly startedAt: number
  /** Whether the last line of the incident was added. */
  ended = false
  readonly #lines: string[] = []
  #stamped = false
  #proven: boolean
  #hearsay: string | undefined

  /** @param proven whether the incident is real even without further output */
  constructor(startedAt: number, proven: boolean) {
    this.startedAt = startedAt
    this.#proven = proven
  }

  /** Whether the incident is real, and not only a line that looks like a kernel message. */
  get proven(): boolean {
    return this.#proven
  }

  /** The lines, with time stamps. */
  get excerpt(): string {
    return this.#lines.join('\n')
  }

  /** The silence after which the text counts as complete, milliseconds, before the multiplier. */
  get quietMs(): number {
    return Math.max(...[...this.kinds.keys()].map(({ quietMs }) => quietMs))
  }

  /** Adds a kind that QEMU reported. A message printed by the guest takes precedence. */
  learn(kind: IncidentKind, message: string): void {
    if (!this.kinds.has(kind)) this.kinds.set(kind, message)
    if (!this.#lines.length) this.#hearsay = message
    this.#proven = true
  }

  /** Adds a kind that was recognized in the next line. */
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
