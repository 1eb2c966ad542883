/** A machine started from a template: QEMU with the saved state loaded and the guest stopped, to be resumed by its holder. */
import { copyFiles, type Launched, launchRestored } from '../machine/launch.ts'
import { VM } from '../machine/vm.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import { type StoredTemplate, withState } from './store/template-store.ts'

/** A machine to start from a save. */
export interface Restoration {
  readonly spec: MachineSpec
  readonly stored: StoredTemplate
  /** Positions of the devices whose content is not the saved machine's. */
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
 * Gives a restored machine to its holder, running.
 * @throws MachineError `ATTACH_FAILED` when the guest cannot have a device that is attached after the restore
 */
export function resume({ spec, stored, changed }: Restoration, launched: Launched): Promise<VM> {
  return VM.restored({ spec, launched, console: stored.console, changed })
}
