/** Ends a machine with everything that was started from it. */
import type { VM } from '@coldboot/core'
import { runAll, settleAll } from './run-all.ts'

/**
 * Ends a machine, its checkpoints, and the machines that the test has started from them.
 * @throws the first error, after all have ended
 */
export async function endMachine(vm: VM): Promise<void> {
  await runAll([
    () => vm.close(),
    // Read after the end of the machine, which creates no further checkpoint.
    () =>
      runAll(
        vm.checkpoints.flatMap((checkpoint) => [
          () => settleAll(checkpoint.machines.map(endMachine)),
          () => checkpoint.remove(),
        ]),
      ),
  ])
}
