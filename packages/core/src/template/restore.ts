/** Starts machines from a template: loads the saved state, then resumes the guest for its owner. */
import { dirname } from 'node:path'
import { types } from 'node:util'
import { ColdbootError } from '../errors.ts'
import { copyFiles } from '../host/files/copy-files.ts'
import { type Launched, launchRestored, launchWaiting, type RestorePlan, type StartPlan } from '../machine/launch.ts'
import { withStateInput } from '../machine/save/state/state-file.ts'
import { VM } from '../machine/vm.ts'
import { isHostConflict } from '../qemu/qemu-error.ts'
import type { StateInput } from '../qemu/qemu-instance.ts'
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
  return withPlan(restoration, (plan) => launchRestored(restoration.spec, plan))
}

/**
 * Spawns QEMU, which then waits until `loadPlanned` loads its state.
 * @throws StartError `START_FAILED`
 */
export async function launchWaitingFrom(restoration: Restoration): Promise<Launched> {
  return withPlan(restoration, (plan) => launchWaiting(restoration.spec, plan))
}

function withPlan(restoration: Restoration, work: (plan: StartPlan) => Promise<Launched>): Promise<Launched> {
  const { stored } = restoration
  const own = stored.layers.at(-1)
  return withState(stored, (fd) =>
    own === undefined
      ? work(planOf(restoration, { memory: 'in-file', source: fd }))
      : withStateInput({ state: own, fd, layers: stored.layers.slice(0, -1) }, (input) =>
          work(planOf(restoration, input)),
        ),
  )
}

/** The launch plan of a restoration. @param state descriptor of the state in the process that spawns QEMU */
export function planOf(
  { stored, changed }: Restoration,
  state: StateInput,
): StartPlan & { readonly restore: RestorePlan } {
  return {
    memory: { path: stored.memoryFile, shared: false },
    restore: {
      state,
      layers: stored.layers,
      files: (directory) => copyFiles(stored.filesDirectory, directory),
      changed,
    },
  }
}

/**
 * Resumes a restored machine.
 * @param onRestore called before the guest runs
 * @throws MachineError `ATTACH_FAILED` when a device cannot be attached in the guest
 */
export function resume(
  { spec, stored, changed }: Restoration,
  launched: Launched,
  onRestore?: (vm: VM) => void,
): Promise<VM> {
  return VM.restored({ spec, launched, console: stored.console, changed, onAttach: onRestore })
}

/**
 * Codes of errors that a bad template can cause. `MACHINE_EXITED`: SIGBUS, if the memory file was truncated while
 * mapped.
 */
const RESTORE_FAILURES: readonly string[] = ['START_FAILED', 'QMP_FAILED', 'ATTACH_FAILED', 'MACHINE_EXITED']

/**
 * The reason if a damaged or just removed template caused the error, so that the machine can boot instead. Undefined
 * for other errors, which a boot would not avoid, such as an abort or a used port.
 */
export function restoreFailure(error: unknown, { directory }: StoredTemplate): string | undefined {
  if (ColdbootError.is(error)) {
    if (isHostConflict(error.sections['QEMU printed'] ?? '')) return undefined
    return RESTORE_FAILURES.includes(error.code) ? error.shortMessage : undefined
  }
  const ofTemplate = types.isNativeError(error) && 'path' in error && String(error.path).startsWith(dirname(directory))
  return ofTemplate ? error.message : undefined
}
