/** Selects the pool for a start: the pool in the keeper of the run, or that of this process. */
import type { AdmissionLimits } from '../../host/machines/admission.ts'
import { discard, type Launched, unlessStartAborted } from '../../machine/launch.ts'
import type { MachineSpec } from '../../spec/machine-spec.ts'
import { KeeperClient } from '../keeper/keeper-client.ts'
import { isKeepable } from '../keeper/recipe-of.ts'
import type { Restoration } from '../restore.ts'
import type { PoolKey } from './machine-pool.ts'
import { warmPool } from './warm-pool.ts'

/** Options of a pool. */
export interface PoolOptions {
  /** Limits of all machines. The pool makes no machine beyond them. @default none */
  readonly limits?: AdmissionLimits | undefined
  /** Path of the socket that starts the keeper of the run. @default none: the pool of this process */
  readonly keeper?: string | undefined
  /** Whether further starts of this machine are expected. If not, the pool waits for the second one. @default true */
  readonly isRepeated?: boolean | undefined
}

/** A pool, for one kind of machine. */
export interface StartPool {
  /** Takes a machine; undefined if there is none. @throws ExpectError `EXPECT_ABORTED` */
  take(): Promise<Launched | undefined>
  /** Prepares the next machines in the background. */
  refill(): void
}

/** Returns the pool for the machines of a restoration. */
export function startPool(
  key: PoolKey,
  restoration: Restoration,
  { limits, keeper, isRepeated }: PoolOptions,
): StartPool {
  const recipe = { source: restoration, memoryMib: restoration.spec.memoryMib, limits, isRepeated }
  const { spec } = restoration
  if (keeper === undefined || !isKeepable(restoration)) {
    return { take: () => unlessGivenUp(warmPool.take(key), spec), refill: () => warmPool.refill(key, recipe) }
  }
  const client = new KeeperClient(keeper)
  return {
    take: () => unlessGivenUp(client.take(key, restoration), spec),
    // Errors are ignored, because a start works without a pool.
    refill: () => void client.refill(key, recipe).catch(() => {}),
  }
}

/** Awaits a machine of the pool until the signal of the start aborts. A machine that comes later is ended. */
export async function unlessGivenUp(
  taking: Promise<Launched | undefined>,
  spec: MachineSpec,
): Promise<Launched | undefined> {
  try {
    return await unlessStartAborted(taking, spec)
  } catch (error) {
    taking.then((launched) => launched && discard(launched)).catch(() => {})
    throw error
  }
}
