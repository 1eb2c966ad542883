/** Ends a machine with everything that was started from it. */
import type { VM } from '@coldboot/core'
import { cleanUp } from '@coldboot/core/internal'
import { settleAll } from './settle-all.ts'

/**
 * Ends a machine, its checkpoints, and the machines that the test has started from them.
 * @throws the first error, after all have ended
 */
export async function endMachine(vm: VM): Promise<void> {
  await cleanUp(
    () => vm.close(),
    // Read after the end of the machine, which creates no further checkpoint.
    () =>
      cleanUp(
        ...vm.checkpoints.flatMap((checkpoint) => [
          () => settleAll(checkpoint.machines.map(endMachine)),
          () => checkpoint.remove(),
        ]),
      ),
  )
}
