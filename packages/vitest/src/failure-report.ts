/** What a failed attempt leaves besides its errors: the machines’ logs, attached, and their paths in `task.meta`. */
import type { VM } from '@coldboot/core'
import { type RunnerTestCase, recordArtifact, type TestAttachment } from 'vitest'

/** A machine of a failed attempt, for reporters. */
export interface MachineRecord {
  readonly name: string
  /** Path of the console log. */
  readonly log: string
  /** One line for a POSIX shell that starts the same machine. */
  readonly commandLine: string
}

/** The files of a machine of a failed attempt, as Vitest records them. */
export interface MachineArtifact {
  readonly type: 'coldboot:machine'
  readonly name: string
  attachments?: TestAttachment[]
}

/** Attaches the logs to the test, and leaves their paths for reporters. */
export async function recordMachines(task: RunnerTestCase, machines: readonly VM[]): Promise<void> {
  const records = machines.map((vm) => ({ name: vm.name, log: vm.logFile, commandLine: vm.commandLineQuoted }))
  task.meta.coldboot = { machines: [...(task.meta.coldboot?.machines ?? []), ...records] }
  for (const { name, log } of records) {
    const attachments = [{ path: log, contentType: 'text/plain' }]
    await recordArtifact(task, { type: 'coldboot:machine', name, attachments })
  }
}
