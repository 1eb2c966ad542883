/** Makes the recipes of machines. */
import { launchedCommandLine } from '../../machine/launch.ts'
import { CONSOLE_FD, QMP_FD, STATE_FD } from '../../qemu/command-line.ts'
import { locateQemu } from '../../qemu/locate.ts'
import { incomingState } from '../../qemu/migration.ts'
import type { StateInput } from '../../qemu/qemu-instance.ts'
import { warmUpPrompt } from '../pool/warm-up.ts'
import { planOf, type Restoration } from '../restore.ts'
import { type MachineRecipe, PRIVATE_DIRECTORY } from './machine-recipe.ts'

/** The state of a machine in the keeper, which opens it. */
export const KEPT_STATE: StateInput = { memory: 'in-file', source: STATE_FD }

/**
 * Whether the keeper can restore a machine: its devices are those of the saved one, so that none must be prepared, and its
 * state is in one file.
 */
export function isKeepable(restoration: Restoration): boolean {
  return restoration.changed.length === 0 && restoration.stored.layers.length === 0
}

/** The recipe of a machine that {@link isKeepable}. */
export async function recipeOf(restoration: Restoration): Promise<MachineRecipe> {
  const { spec, stored } = restoration
  const qemu = await locateQemu(spec.arch, spec.qemu)
  const plan = planOf(restoration, KEPT_STATE)
  const { argv, deviceDescriptors } = launchedCommandLine(spec, plan, qemu, PRIVATE_DIRECTORY)
  return {
    name: spec.name,
    argv,
    sockets: [CONSOLE_FD, QMP_FD, ...deviceDescriptors.flat()],
    files: stored.filesDirectory,
    memory: plan.restore.state.memory,
    state: stored.stateFile,
    uri: incomingState(qemu.version).uri,
    prompt: warmUpPrompt(restoration),
  }
}
