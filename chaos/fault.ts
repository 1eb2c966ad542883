/** A fault, and what is promised when it is injected. */
import type { ChaosEvent } from './events.ts'
import type { RoundPlan, RunnerName } from './plan.ts'

/** A round that runs. */
export interface FaultContext {
  readonly plan: RoundPlan
  /** Marks its processes. */
  readonly mark: string
  /** The main process of the test runner. */
  readonly runner: number
  /** The event that the fault follows. */
  readonly event: ChaosEvent
  readonly events: () => readonly ChaosEvent[]
  readonly folders: RoundFolders
  /** Size of the output of a flood, bytes. */
  readonly floodBytes: number
}

/** Folders of a round. */
export interface RoundFolders {
  /** The project. */
  readonly root: string
  /** TMPDIR. */
  readonly temporary: string
  /** COLDBOOT_CACHE. */
  readonly cache: string
  /** Files of the machines. */
  readonly artifacts: string
}

/** A command that is typed into the guest of a test. */
export interface GuestCommand {
  readonly victim: string | undefined
  /** A command that is typed before, and the text that it prints at its end. @default none */
  readonly first?: { readonly command: string; readonly until: string }
  readonly command: string
  /** Pattern of the last text on the console, with a hash in its first group. @default none: the test must fail */
  readonly until?: string
  /** Least size of the output until then, bytes. */
  readonly bytes?: number
}

/** Result of the injection: the command for the guest, done, or nothing to inject the fault into. */
export type Done = GuestCommand | 'done' | 'no victim'

/** Which tests may fail: none, the one of the event, those of its file, or all. */
export type Affected = 'none' | 'test' | 'file' | 'all'

/** What is promised. */
export interface Expectation {
  readonly affected: Affected
  /** Whether the run fails, passes, may do both, or is killed. */
  readonly run: 'fails' | 'passes' | 'either' | 'killed'
  /** Codes and messages of failed tests; one must match each. */
  readonly reasons?: readonly RegExp[]
  /** What the run must print. */
  readonly prints?: RegExp
  /** Whether lines that were received may be missing in the log, because there was no space for them. */
  readonly losesLog?: boolean
  /** Whether locks and unfinished entries of the cache stay, because it is read-only. */
  readonly leavesLocks?: boolean
  /** Whether processes of Node end without a cleanup, so that the next start removes their files. */
  readonly leavesFiles?: boolean
}

/** Error of a `send` after the console of a machine was closed, and before it is known how the machine ended. */
export const CLOSED = /its console is closed/

/** A fault. */
export interface Fault {
  readonly runners?: readonly RunnerName[]
  /** Whether it needs a running machine, so that it is not injected after a test file was loaded. */
  readonly needsMachine?: boolean
  /** The cache of the round: that of all rounds, a copy, or a copy without templates. @default 'shared' */
  readonly cache?: 'shared' | 'copy' | 'empty'
  /** Folder of the round on a small file system of its own, and its size in MiB. */
  readonly disk?: { readonly folder: Exclude<keyof RoundFolders, 'root'>; readonly mib: number }
  /** Environment of the run. */
  readonly env?: (folders: RoundFolders) => NodeJS.ProcessEnv
  /** Why it cannot be injected on this host; undefined if it can. */
  readonly missing?: () => string | undefined
  readonly act: (context: FaultContext) => Done | Promise<Done>
  readonly expects: Expectation
}
