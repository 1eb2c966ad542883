/** What this package adds to Vitest’s own types. */
import type { ReadyOptions } from '@coldboot/core'
import type { MachineMatchers } from '@coldboot/matchers'
import type { ArtifactOptions, MachineRecord } from '@coldboot/report'
import type { MachineArtifact } from './failure-report.ts'

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends MachineMatchers<R> {}

  interface ProvidedContext {
    /** The project’s defaults for the fixture of the same name. */
    vmOptions: ReadyOptions
    /** The project’s defaults for the fixture of the same name. */
    artifacts: ArtifactOptions
    /** Path of the socket by which a worker borrows the terminal; missing when there is none. */
    coldbootTerminal: string
  }

  interface TaskMeta {
    /** The machines that left files: those of failed attempts, unless told otherwise. */
    coldboot?: { machines: MachineRecord[] }
  }

  interface TestArtifactRegistry {
    coldboot: MachineArtifact
  }
}
