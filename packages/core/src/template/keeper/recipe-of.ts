/** Creates recipes for the keeper. */
import { launchedCommandLine } from '../../machine/launch.ts'
import { CONSOLE_FD, QMP_FD, STATE_FD } from '../../qemu/command-line.ts'
import { ConsolePipe } from '../../qemu/console-pipe.ts'
import { locateQemu } from '../../qemu/locate.ts'
import { incomingState } from '../../qemu/migration.ts'
import type { StateInput } from '../../qemu/qemu-instance.ts'
import { planWarmUp } from '../pool/warm-up-plan.ts'
import { planOf, type Restoration } from '../restore.ts'
import { type MachineRecipe, PRIVATE_DIRECTORY } from './machine-recipe.ts'

/** Input for the state of a machine. The keeper opens the file. */
export function keptState({ stored }: Restoration): StateInput {
  return { memory: stored.layers.length === 0 ? 'in-file' : 'in-stream', source: STATE_FD }
}

/**
 * Whether the keeper can restore a machine: no device has changed since the save, so none must be prepared; no device
 * has a helper process; and the state is in one file.
 */
export function isKeepable({ changed, stored, spec }: Restoration): boolean {
  // A composed layer has a single state without pages.
  const [layer, below] = stored.layers
  const isInOneFile = layer === undefined || (below === undefined && layer.pagesBytes === 0 && !layer.isWhole)
  const hasHelper = spec.devices.some((device) => device.helper !== undefined)
  return changed.length === 0 && isInOneFile && !hasHelper
}

/** Creates the recipe of a machine for which {@link isKeepable} is true. */
export async function recipeOf(restoration: Restoration): Promise<MachineRecipe> {
  const { spec, stored } = restoration
  const qemu = await locateQemu(spec.arch, spec.qemu)
  const plan = planOf(restoration, keptState(restoration))
  const consolePipe = ConsolePipe.pathIn(PRIVATE_DIRECTORY)
  const { argv, deviceDescriptors } = launchedCommandLine(spec, plan, qemu, PRIVATE_DIRECTORY, consolePipe)
  const plannedWarmUp = planWarmUp(restoration)
  return {
    name: spec.name,
    argv,
    sockets: [...(consolePipe === undefined ? [CONSOLE_FD] : []), QMP_FD, ...deviceDescriptors.flat()],
    files: stored.filesDirectory,
    memory: plan.restore.state.memory,
    state: stored.stateFile,
    uri: incomingState(qemu.version).uri,
    timeoutMultiplier: spec.timeoutMultiplier,
    warmUp: plannedWarmUp?.exchange,
    warmUpFd: deviceDescriptors[plannedWarmUp?.position ?? -1]?.[0],
  }
}
