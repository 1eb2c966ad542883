/** Extends the types of Vitest. */
import type { VMOptions } from '@coldboot/core'
import type { MatchersOf } from '@coldboot/matchers'
import type { ArtifactOptions, GuestTestRecord, MachineRecord } from '@coldboot/report'
import type { MachineArtifact } from './failure-report.ts'

/** Data of a test for reporters, in `task.meta.coldboot`. */
export interface ColdbootMeta {
  /** The machines whose files were kept, by default those of failed attempts. */
  machines: MachineRecord[]
  /** The tests inside guests (`vm.runTests`) of all attempts. Missing if there were none. */
  guestTests?: GuestTestRecord[]
}

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends MatchersOf<T, R> {}

  interface ProvidedContext {
    /** The project's default of the fixture `vmOptions`. */
    vmOptions: VMOptions
    /** The project's default of the fixture `artifacts`. */
    artifacts: ArtifactOptions
    /** Path of the socket through which a worker borrows the terminal. Missing without a terminal. */
    coldbootTerminal: string
    /** Path of the socket that starts the pool keeper, the process with the pooled machines. Missing without the plugin. */
    coldbootPool: string
    /** Path of the compile cache that the plugin has set for the workers. Missing if the user has set one. */
    coldbootCompiled: string
  }

  interface TaskMeta {
    coldboot?: ColdbootMeta
  }

  interface TestArtifactRegistry {
    coldboot: MachineArtifact
  }
}
