/** The pool that a start uses: that of the run's keeper, or the one of this process. */
import type { AdmissionLimits } from '../../host/machines/admission.ts'
import type { Launched } from '../../machine/launch.ts'
import { KeeperClient } from '../keeper/keeper-client.ts'
import { isKeepable } from '../keeper/recipe-of.ts'
import type { Restoration } from '../restore.ts'
import type { PoolKey } from './machine-pool.ts'
import { warmPool } from './warm-pool.ts'

/** Options of a pool. */
export interface PoolOptions {
  /** The pool has only machines that fit within them. @default none */
  readonly limits?: AdmissionLimits | undefined
  /** Path of the socket that starts the keeper of the run. @default none: the pool of this process */
  readonly keeper?: string | undefined
  /** Whether further starts of this machine are expected. If not, the pool waits for the second one. @default true */
  readonly isRepeated?: boolean | undefined
}

/** Machines that were restored before they are needed. */
export interface StartPool {
  /** Takes a machine; undefined if there is none. */
  take(): Promise<Launched | undefined>
  /** Has the next machines restored, in the background. */
  refill(): void
}

/** The pool for the machines of a restoration. */
export function startPool(
  key: PoolKey,
  restoration: Restoration,
  { limits, keeper, isRepeated }: PoolOptions,
): StartPool {
  const recipe = { source: restoration, memoryMib: restoration.spec.memoryMib, limits, isRepeated }
  if (keeper === undefined || !isKeepable(restoration)) {
    return { take: () => warmPool.take(key), refill: () => warmPool.refill(key, recipe) }
  }
  const client = new KeeperClient(keeper)
  return {
    take: () => client.take(key, restoration),
    // A start works without a pool.
    refill: () => void client.refill(key, recipe).catch(() => {}),
  }
}
