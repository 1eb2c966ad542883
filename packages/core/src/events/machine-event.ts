/** Events passed to a MachineObserver. Plain, serialisable data. */

/** Input on the console, by `send`, or by `run` via the shell. */
export interface SendEvent {
  readonly kind: 'send'
  readonly data: string | Uint8Array
}

/** An `expect` starts. */
export interface ExpectEvent {
  readonly kind: 'expect'
  /** Id of the wait. The event for its end has the same id. */
  readonly id: number
  /** Readable form, such as `"login: "`. */
  readonly pattern: string
  /** Milliseconds, after the multiplier; Infinity without a limit. */
  readonly timeoutMs: number
  /** `file:line:column` of the call. */
  readonly location: string | undefined
}

/** An `expect` matched. */
export interface MatchEvent extends Omit<ExpectEvent, 'kind'> {
  readonly kind: 'match'
  /** The matched text. */
  readonly text: string
  readonly duration: number
}

/** An `expect` failed: timeout, end of the machine, failure of the guest, or abort. */
export interface UnmatchedEvent extends Omit<ExpectEvent, 'kind'> {
  readonly kind: 'unmatched'
  /** Code of the error. */
  readonly code: string
  /** Short message of the error. */
  readonly message: string
  readonly duration: number
}

/** A command starts in the guest. */
export interface CommandEvent {
  readonly kind: 'command'
  /** Id of the command. The event for its end has the same id. */
  readonly id: number
  readonly command: string
  /** The transport into the guest: `agent`, `guest-agent` or `shell`. */
  readonly via: string
}

/** A command ended. */
export interface ResultEvent extends Omit<CommandEvent, 'kind'> {
  readonly kind: 'result'
  /** Undefined if the command did not end by itself. */
  readonly exitCode: number | undefined
  /** Why the command did not end by itself. */
  readonly message?: string
  readonly duration: number
}

/** One test case that ran in the guest. */
export interface GuestTest {
  /** Name of the test. */
  readonly name: string
  /** Names of its suites, outermost first, and its own name. */
  readonly path: readonly string[]
  /** `todo` marks a known failure. */
  readonly status: 'passed' | 'failed' | 'skipped' | 'todo'
  readonly duration?: number
  /** Reason of the status, if the report has one. */
  readonly message?: string
  /** Last lines of the output about a failed test. */
  readonly log?: string
}

/** A test run in the guest ended or was interrupted, and its report was read. */
export interface TestsEvent {
  readonly kind: 'tests'
  /** The command that ran them. */
  readonly command: string
  /** Every test case, in the order of the report. */
  readonly tests: readonly GuestTest[]
  /** Problems of the report as a whole. */
  readonly problems: readonly string[]
  /** Whether no test failed, the report is complete, and the exit code of the command is 0. */
  readonly passed: boolean
  /** Whether an error is thrown if tests failed. */
  readonly checked: boolean
}

/** The guest failed. */
export interface IncidentEvent {
  readonly kind: 'incident'
  readonly failure: string
  readonly message: string
  readonly allowed: boolean
}

/** A QMP message. */
export interface QmpMessageEvent {
  readonly kind: 'qmp'
  readonly direction: 'sent' | 'received'
  readonly message: Readonly<Record<string, unknown>>
}

/** The machine ended, and all its output was read. */
export interface ExitEvent {
  readonly kind: 'exit'
  /** The `reason` of `ExitStatus`. */
  readonly reason: string
  /** Readable form, such as `the guest powered off (QEMU exit code 0)`. */
  readonly message: string
}

/** The log omits bytes between its beginning and its end. Emitted when the machine is closed. */
export interface CutEvent {
  readonly kind: 'cut'
  readonly bytesLeftOut: number
}

/** A checkpoint was made, or the machine went back to one. */
export interface CheckpointEvent {
  readonly kind: 'checkpoint' | 'revert'
  /** Name of the checkpoint, such as `checkpoint 1`. */
  readonly name: string
  /** Time that it took, milliseconds. */
  readonly duration: number
}

/** Power actions of a test: see `VM.powerButton` and the methods after it. */
export type PowerAction = 'button' | 'reset' | 'pause' | 'unpause' | 'nmi' | 'cut' | 'on'

/** The test performed a power action. */
export interface PowerEvent {
  readonly kind: 'power'
  readonly action: PowerAction
}

/** The test used the keyboard or the pointer of a display. */
export interface InputEvent {
  readonly kind: 'input'
  /** Description of the input, such as `pressed ctrl-alt-delete`. */
  readonly text: string
}

/** The memory of the guest was dumped after a panic of its kernel. */
export interface DumpEvent {
  readonly kind: 'dump'
  /** Path of the dump. */
  readonly file: string
  /** Size of the file, bytes; undefined if the dump failed. */
  readonly bytes?: number
  /** Why the dump failed. */
  readonly problem?: string
  /** Time that the dump took, milliseconds. */
  readonly duration: number
}

/** An event of a machine. */
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
  | CheckpointEvent
  | PowerEvent
  | InputEvent
  | DumpEvent
  | CutEvent
