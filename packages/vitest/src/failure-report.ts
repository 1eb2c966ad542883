/** Attaches the files of machines to a failed test, and stores their paths in `task.meta`. */

import { extname, join } from 'node:path'
import { messageOf } from '@coldboot/core/internal'
import { MACHINE_FILE, type MachineRecord } from '@coldboot/report'
import { type RunnerTestCase, recordArtifact, type TestAttachment } from 'vitest'

/** Vitest artifact with the files of a machine. */
export interface MachineArtifact {
  readonly type: 'coldboot:machine'
  readonly name: string
  attachments?: TestAttachment[]
}

/** Attaches the files to the test, and stores their paths for reporters. */
export async function recordMachines(task: RunnerTestCase, machines: readonly MachineRecord[]): Promise<void> {
  if (machines.length === 0) return
  const { coldboot } = task.meta
  task.meta.coldboot = { ...coldboot, machines: [...(coldboot?.machines ?? []), ...machines] }
  for (const { name, directory, log, files } of machines) {
    // The log comes first. It may be in another folder.
    const paths = new Set([log, ...files.filter((file) => file !== MACHINE_FILE).map((file) => join(directory, file))])
    const attachments = [...paths].map((path) => ({ path, contentType: contentType(path) }))
    try {
      await recordArtifact(task, { type: 'coldboot:machine', name, attachments })
    } catch (error) {
      // Vitest copies the files. A full disk must not fail the test.
      const why = messageOf(error)
      process.emitWarning(`The files of "${name}" could not be attached to the test: ${why}`, 'ColdbootWarning')
    }
  }
}

const TYPES: Readonly<Record<string, string>> = {
  '.png': 'image/png',
  '.json': 'application/json',
  '.pcapng': 'application/vnd.tcpdump.pcap',
  '.cast': 'application/x-asciicast',
}

function contentType(path: string): string {
  return TYPES[extname(path)] ?? 'text/plain'
}
