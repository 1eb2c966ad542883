/** Starts machines from a template: loads the saved state, then resumes the guest for its owner. */
import { copyFiles, type Launched, launchRestored } from '../machine/launch.ts'
import { VM } from '../machine/vm.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { type StoredTemplate, withState } from './store/template-store.ts'

/** A machine to restore. */
export interface Restoration {
  readonly spec: MachineSpec
  readonly stored: StoredTemplate
  /** Positions of the devices whose content differs from that of the saved machine. */
  readonly changed: readonly number[]
}

/**
 * @throws StartError `START_FAILED`, MachineError `QMP_FAILED` when the state cannot be loaded
 */
export async function launchFrom({ spec, stored, changed }: Restoration): Promise<Launched> {
  return withState(stored, (source) =>
    launchRestored(spec, {
      memory: { path: stored.memoryFile, shared: false },
      restore: {
        state: { memory: 'in-file', source },
        files: (directory) => copyFiles(stored.filesDirectory, directory),
        changed,
      },
    }),
  )
}

/**
 * Resumes a restored machine.
 * @throws MachineError `ATTACH_FAILED` when a device cannot be attached in the guest
 */
export function resume({ spec, stored, changed }: Restoration, launched: Launched): Promise<VM> {
  return VM.restored({ spec, launched, console: stored.console, changed })
}
