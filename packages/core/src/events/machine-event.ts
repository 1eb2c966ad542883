/** What is done with a machine and what happens to it, as whoever observes it is told: plain data, and nothing to hold on to. */

/** Typed on the console, also by `run` where the console is the way into the guest. */
export interface SendEvent {
  readonly kind: 'send'
  readonly data: string | Uint8Array
}

/** Somebody begins to wait for output. */
export interface ExpectEvent {
  readonly kind: 'expect'
  /** The same in the event that ends the wait. */
  readonly id: number
  /** For people: `"login: "`. */
  readonly pattern: string
  /** Milliseconds, the multiplier applied; Infinity: no limit. */
  readonly timeoutMs: number
  /** `file:line:column` of the call. */
  readonly location: string | undefined
}

/** What was awaited was printed. */
export interface MatchEvent extends Omit<ExpectEvent, 'kind'> {
  readonly kind: 'match'
  /** What matched. */
  readonly text: string
  readonly duration: number
}

/** What was awaited was not printed: the time is up, the machine or its guest ended, the wait was aborted. */
export interface UnmatchedEvent extends Omit<ExpectEvent, 'kind'> {
  readonly kind: 'unmatched'
  /** As of the error that the wait is rejected with. */
  readonly code: string
  /** The error's first words. */
  readonly message: string
  readonly duration: number
}

/** A command begins in the guest. */
export interface CommandEvent {
  readonly kind: 'command'
  /** The same in the event that ends it. */
  readonly id: number
  readonly command: string
  /** The way into the guest: `agent`, `guest-agent`, `shell`. */
  readonly via: string
}

/** A command is over. */
export interface ResultEvent extends Omit<CommandEvent, 'kind'> {
  readonly kind: 'result'
  /** Undefined when it had not ended by itself. */
  readonly exitCode: number | undefined
  /** Why it had not. */
  readonly message?: string
  readonly duration: number
}

/** One test case that ran in the guest. */
export interface GuestTest {
  /** Its own name. */
  readonly name: string
  /** Names of what it is part of, the outermost first, and its own. */
  readonly path: readonly string[]
  /** `todo`: it is known to fail. */
  readonly status: 'passed' | 'failed' | 'skipped' | 'todo'
  readonly duration?: number
  /** Why it failed, was skipped, or is to do; where that was told. */
  readonly message?: string
  /** Of a failed one: what was printed about it, the last lines. */
  readonly log?: string
}

/** Tests that ran in the guest are over, or were cut short, and what they reported was read. */
export interface TestsEvent {
  readonly kind: 'tests'
  /** The command that ran them. */
  readonly command: string
  /** Every test case, in the order of the report. */
  readonly tests: readonly GuestTest[]
  /** What is wrong with the report as a whole. */
  readonly problems: readonly string[]
  /** Whether no test failed, the report is whole, and the command's exit code is 0. */
  readonly passed: boolean
  /** Whether an error tells of those that failed. */
  readonly checked: boolean
}

/** A monitor saw the guest fail. */
export interface IncidentEvent {
  readonly kind: 'incident'
  readonly failure: string
  readonly message: string
  readonly allowed: boolean
}

/** A message on QEMU's control channel. */
export interface QmpMessageEvent {
  readonly kind: 'qmp'
  readonly direction: 'sent' | 'received'
  readonly message: Readonly<Record<string, unknown>>
}

/** The machine is gone, and all it printed was read. */
export interface ExitEvent {
  readonly kind: 'exit'
  /** As of `ExitStatus`. */
  readonly reason: string
  /** For people: `the guest powered off (QEMU exit code 0)`. */
  readonly message: string
}

/** The log has its beginning and its end, and not what was printed between them. Told when the machine is closed. */
export interface CutEvent {
  readonly kind: 'cut'
  readonly bytesLeftOut: number
}

/** Something that was done with a machine, or happened to it. */
export type MachineEvent =
  | SendEvent
  | ExpectEvent
  | MatchEvent
  | UnmatchedEvent
  | CommandEvent
  | ResultEvent
  | TestsEvent
  | IncidentEvent
  | QmpMessageEvent
  | ExitEvent
  | CutEvent
