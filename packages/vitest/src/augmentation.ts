/** What this package adds to Vitest's own types. */
import type { VMOptions } from '@coldboot/core'
import type { MachineMatchers } from '@coldboot/matchers'
import type { ArtifactOptions, GuestTestRecord, MachineRecord } from '@coldboot/report'
import type { MachineArtifact } from './failure-report.ts'

/** What a test leaves for reporters. */
export interface ColdbootMeta {
  /** The machines that left files: those of failed attempts, unless told otherwise. */
  machines: MachineRecord[]
  /** The tests that ran inside the guests (`vm.runTests`), of all attempts. Missing when there were none. */
  guestTests?: GuestTestRecord[]
}

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends MachineMatchers<R> {}

  interface ProvidedContext {
    /** The project's defaults for the fixture of the same name. */
    vmOptions: VMOptions
    /** The project's defaults for the fixture of the same name. */
    artifacts: ArtifactOptions
    /** Path of the socket by which a worker borrows the terminal; missing when there is none. */
    coldbootTerminal: string
  }

  interface TaskMeta {
    coldboot?: ColdbootMeta
  }

  interface TestArtifactRegistry {
    coldboot: MachineArtifact
  }
}
