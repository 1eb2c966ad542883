/** What this package adds to Vitest’s own types. */
import type { ReadyOptions } from '@coldboot/core'
import type { MachineMatchers } from '@coldboot/matchers'
import type { MachineArtifact, MachineRecord } from './failure-report.ts'

declare module 'vitest' {
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> extends MachineMatchers<R> {}

  interface ProvidedContext {
    /** The project’s defaults for the fixture of the same name. */
    vmOptions: ReadyOptions
  }

  interface TaskMeta {
    /** The machines of the test’s failed attempts. */
    coldboot?: { machines: MachineRecord[] }
  }

  interface TestArtifactRegistry {
    coldboot: MachineArtifact
  }
}
