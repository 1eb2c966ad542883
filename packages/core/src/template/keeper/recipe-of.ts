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
export function keptState({ stored }: Restoration): StateInput {
  return { memory: stored.layers.length === 0 ? 'in-file' : 'in-stream', source: STATE_FD }
}

/**
 * Whether the keeper can restore a machine: its devices are those of the saved one, so that none must be prepared, none is
 * served by another program, and its state is in one file.
 */
export function isKeepable({ changed, stored, spec }: Restoration): boolean {
  // One layer without pages: its memory was composed.
  const [layer, below] = stored.layers
  const isInOneFile = layer === undefined || (below === undefined && layer.pagesBytes === 0 && !layer.isWhole)
  const hasHelper = spec.devices.some((device) => device.helper !== undefined)
  return changed.length === 0 && isInOneFile && !hasHelper
}

/** The recipe of a machine that {@link isKeepable}. */
export async function recipeOf(restoration: Restoration): Promise<MachineRecipe> {
  const { spec, stored } = restoration
  const qemu = await locateQemu(spec.arch, spec.qemu)
  const plan = planOf(restoration, keptState(restoration))
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
