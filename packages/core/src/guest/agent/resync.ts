/**
 * Sets the clock of a restored guest and adds entropy. Otherwise its clock continues from the save, and copies draw the
 * same random numbers if the kernel does not support generation ids.
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
 * Resolves when both are done.
 * @param keepsTime whether the clock is left alone
 * @throws AgentRefusal, AgentRestarted, Interrupted
 */
export async function resync(connection: AgentConnection, limits: Limits, keepsTime: boolean): Promise<void> {
  const ready = within(connection.ready(), limits)
  // Sent together with the ping that opens the connection, in one round trip.
  const seed = nodeCrypto().randomBytes(SEED_BYTES)
  const clock = keepsTime ? [] : [ask(connection, CLOCK, timeNow(), limits)]
  await Promise.all([ready, ...clock, ask(connection, RESEED, seed, limits)])
}

/** Seconds (8 bytes) and nanoseconds (4) since 1970. */
function timeNow(): Buffer {
  const milliseconds = wallClock()
  const time = Buffer.alloc(12)
  time.writeBigUInt64LE(BigInt(Math.floor(milliseconds / 1000)), 0)
  time.writeUInt32LE((milliseconds % 1000) * 1_000_000, 8)
  return time
}
