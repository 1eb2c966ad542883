/**
 * Sets the clock of a restored guest and adds entropy. Without this, the clock continues from the time of the save, and
 * all restored machines generate the same random numbers.
 */
import { wallClock } from '../../host/clock.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import { type Limits, within } from '../waiting.ts'
import type { AgentConnection } from './agent-connection.ts'
import { ask } from './agent-files.ts'
import { CLOCK, RESEED } from './agent-frames.ts'

/** Bytes of entropy: the size of the pool of Linux. */
const SEED_BYTES = 64

/**
 * Resolves when the agent has set the clock and added the entropy.
 * @param keepsTime whether the clock stays unchanged
 * @throws AgentRefusal, AgentRestarted, Interrupted
 */
export async function resync(connection: AgentConnection, limits: Limits, keepsTime: boolean): Promise<void> {
  const ready = within(connection.ready(), limits)
  // The connection sends these frames together with its ping, so there is only one round trip.
  const answers = resyncRequests(keepsTime).map(([type, payload]) => ask(connection, type, payload, limits))
  await Promise.all([ready, ...answers])
}

/** Types and payloads of the frames that set the clock and add entropy. */
export function resyncRequests(keepsTime: boolean): readonly (readonly [type: number, payload: Buffer])[] {
  const clock = [CLOCK, timeNow()] as const
  return [...(keepsTime ? [] : [clock]), [RESEED, nodeCrypto().randomBytes(SEED_BYTES)]]
}

/** The current time: seconds since 1970 (8 bytes) and nanoseconds (4 bytes). */
function timeNow(): Buffer {
  const milliseconds = wallClock()
  const time = Buffer.alloc(12)
  time.writeBigUInt64LE(BigInt(Math.floor(milliseconds / 1000)), 0)
  time.writeUInt32LE((milliseconds % 1000) * 1_000_000, 8)
  return time
}
