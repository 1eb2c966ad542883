/**
 * Warm pool of this process: restores the next machine of a template while a test runs. Its machines do not keep the
 * process running, and end at its exit. `endPool` ends them earlier.
 */
import { discard, type Launched, loadPlanned } from '../../machine/launch.ts'
import { launchWaitingFrom, type Restoration } from '../restore.ts'
import { onEndPool } from './end-pool.ts'
import { MachinePool } from './machine-pool.ts'
import { warmUp, warmUpPrompt } from './warm-up.ts'

/** The pool of this process. */
export const warmPool: MachinePool<Restoration, Launched> = new MachinePool<Restoration, Launched>({
  async launch(restoration) {
    const launched = await launchWaitingFrom(restoration)
    launched.machine.hold(false)
    return launched
  },
  async restore(launched, restoration, lines, taken) {
    // A start that waits for the machine keeps the process running.
    const hold = (): void => launched.machine.hold(true)
    if (taken.aborted) hold()
    else taken.addEventListener('abort', hold, { once: true })
    await loadPlanned(launched)
    const prompt = warmUpPrompt(restoration)
    if (prompt !== undefined) await warmUp(launched.machine, prompt, lines, taken)
  },
  isGone: ({ machine }) => machine.gone,
  discard,
})

onEndPool(() => warmPool.end())
