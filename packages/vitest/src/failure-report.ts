/** What a failed attempt leaves besides its errors: the machines’ logs, attached, and their paths in `task.meta`. */
import { ExpectError, type VM } from '@coldboot/core'
import { type RunnerTestCase, recordArtifact, type TestAttachment } from 'vitest'
import { sectionsOf, spaceOut } from './reported-error.ts'

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

/** The error for a test that would pass although it still waits; undefined when it does not. */
export function forgottenAwait(machines: readonly VM[], starting: number): ExpectError | undefined {
  const waits = machines.flatMap((vm) => vm.pendingWaits.map((wait) => ({ ...wait, name: vm.name })))
  if (waits.length === 0 && starting === 0) return undefined
  const what = waits.map(({ name, pattern }) => `"${name}" was still to print ${pattern}`)
  if (starting > 0) what.push(`${starting} more machine${starting === 1 ? ' was' : 's were'} being started`)
  const error = new ExpectError('FORGOTTEN_AWAIT', `The test ended while ${what.join(', ')}`, {
    sections: sectionsOf(machines, machines.length > 1),
  })
  const places = waits.flatMap(({ location }) => (location === undefined ? [] : [`    at ${location}`]))
  error.stack = [error.message, ...places].join('\n')
  spaceOut(error)
  return error
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
