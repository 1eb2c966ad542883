/** Starts machines from a template: loads the saved state, then resumes the guest for its owner. */
import { dirname } from 'node:path'
import { types } from 'node:util'
import { ColdbootError } from '../errors.ts'
import { copyFiles, type Launched, launchRestored, launchWaiting, type StartPlan } from '../machine/launch.ts'
import { stateInput } from '../machine/save/state-file.ts'
import { VM } from '../machine/vm.ts'
import type { MachineSpec } from '../spec/machine-spec.ts'
import type { StoredTemplate } from './store/template-folder.ts'
import { withState } from './store/template-store.ts'

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
export async function launchFrom(restoration: Restoration): Promise<Launched> {
  return withState(restoration.stored, (state) => launchRestored(restoration.spec, planOf(restoration, state)))
}

/**
 * Spawns QEMU, which then waits for `loadPlanned`.
 * @throws StartError `START_FAILED`
 */
export async function launchWaitingFrom(restoration: Restoration): Promise<Launched> {
  return withState(restoration.stored, (state) => launchWaiting(restoration.spec, planOf(restoration, state)))
}

/** @param state open descriptor of the device state */
function planOf({ stored, changed }: Restoration, state: number): StartPlan {
  const { layers } = stored
  const own = layers.at(-1)
  return {
    memory: { path: stored.memoryFile, shared: false },
    restore: {
      state: own === undefined ? { memory: 'in-file', source: state } : stateInput(own, state, layers.slice(0, -1)),
      layers,
      files: (directory) => copyFiles(stored.filesDirectory, directory),
      changed,
    },
  }
}

/**
 * Resumes a restored machine.
 * @throws MachineError `ATTACH_FAILED` when a device cannot be attached in the guest
 */
export function resume({ spec, stored, changed }: Restoration, launched: Launched): Promise<VM> {
  return VM.restored({ spec, launched, console: stored.console, changed })
}

const RESTORE_FAILURES: readonly string[] = ['START_FAILED', 'QMP_FAILED', 'ATTACH_FAILED']

/** The reason if a bad or just removed template caused the error. Other errors, such as an abort, would happen again. */
export function restoreFailure(error: unknown, { directory }: StoredTemplate): string | undefined {
  if (ColdbootError.is(error)) return RESTORE_FAILURES.includes(error.code) ? error.shortMessage : undefined
  const ofTemplate = types.isNativeError(error) && 'path' in error && String(error.path).startsWith(dirname(directory))
  return ofTemplate ? error.message : undefined
}
