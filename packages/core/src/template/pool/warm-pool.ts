/**
 * Warm pool of this process: restores the next machine of a template while a test runs. Its machines do not keep the
 * process running, and end at its exit. `endPool` ends them earlier.
 */
import { discard, type Launched, loadPlanned } from '../../machine/launch.ts'
import { launchWaitingFrom, type Restoration } from '../restore.ts'
import { onEndPool } from './end-pool.ts'
import { MachinePool } from './machine-pool.ts'
import { warmUp } from './warm-up.ts'
import { planWarmUp, type WarmUpPlan } from './warm-up-plan.ts'

/** The pool of this process. */
export const warmPool: MachinePool<Restoration, Launched> = new MachinePool<Restoration, Launched>({
  async launch(restoration) {
    const launched = await launchWaitingFrom(restoration)
    launched.machine.hold(false)
    return launched
  },
  async restore(launched, restoration, taken) {
    // A start that waits for the machine keeps the process running.
    const hold = (): void => launched.machine.hold(true)
    if (taken.aborted) hold()
    else taken.addEventListener('abort', hold, { once: true })
    await loadPlanned(launched)
    const plan = planWarmUp(restoration)
    if (plan !== undefined) await warmUp(guestOf(launched, plan), plan.exchange, taken)
  },
  isGone: ({ machine }) => machine.gone,
  discard,
})

function guestOf({ machine }: Launched, { position }: WarmUpPlan): Parameters<typeof warmUp>[0] {
  const [channel] = position === undefined ? [] : machine.streamsOf(position)
  return { qmp: machine.qmp, stream: channel ?? machine.consoleStream }
}

onEndPool(() => warmPool.end())
