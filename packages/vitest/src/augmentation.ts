/** Extends the types of Vitest. */
import type { VMOptions } from '@coldboot/core'
import type { MatchersOf } from '@coldboot/matchers'
import type { ArtifactOptions, GuestTestRecord, MachineRecord } from '@coldboot/report'
import type { MachineArtifact } from './failure-report.ts'

/** Data of a test for reporters, in `task.meta.coldboot`. */
export interface ColdbootMeta {
  /** The machines whose files were kept; by default those of failed attempts. */
  machines: MachineRecord[]
  /** The tests inside the guests (`vm.runTests`) of all attempts. Missing without any. */
  guestTests?: GuestTestRecord[]
}

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends MatchersOf<T, R> {}

  interface ProvidedContext {
    /** The project's defaults of the fixture with this name. */
    vmOptions: VMOptions
    /** The project's defaults of the fixture with this name. */
    artifacts: ArtifactOptions
    /** Path of the socket through which a worker borrows the terminal. Missing without a terminal. */
    coldbootTerminal: string
    /** Path of the socket that starts the keeper of pooled machines. Missing without the plugin. */
    coldbootPool: string
  }

  interface TaskMeta {
    coldboot?: ColdbootMeta
  }

  interface TestArtifactRegistry {
    coldboot: MachineArtifact
  }
}
