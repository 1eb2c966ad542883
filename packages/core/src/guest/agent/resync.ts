/**
 * What a guest must be told when it goes on from a save: what the time is now, and randomness that no other copy of it
 * has. Without it the wall clock stands at the save, and copies draw the same numbers where the kernel hears nothing of a
 * new generation id.
 */
import { randomBytes } from 'node:crypto'
import { wallClock } from '../../host/clock.ts'
import { type Limits, within } from '../waiting.ts'
import type { AgentConnection } from './agent-connection.ts'
import { ask } from './agent-files.ts'
import { CLOCK, RESEED } from './agent-frames.ts'

/** As much as a pool of Linux takes in at once, bytes. */
const SEED_BYTES = 64

/** Resolves when the guest has both. @throws AgentRefusal, AgentRestarted, Interrupted */
export async function resync(connection: AgentConnection, limits: Limits): Promise<void> {
  const ready = within(connection.ready(), limits)
  // Sent at once, behind the question that opens the line: one round trip for all.
  const seed = randomBytes(SEED_BYTES)
  await Promise.all([ready, ask(connection, CLOCK, timeNow(), limits), ask(connection, RESEED, seed, limits)])
}

/** Seconds (8 bytes) and nanoseconds (4) since 1970. */
function timeNow(): Buffer {
  const milliseconds = wallClock()
  const time = Buffer.alloc(12)
  time.writeBigUInt64LE(BigInt(Math.floor(milliseconds / 1000)), 0)
  time.writeUInt32LE((milliseconds % 1000) * 1_000_000, 8)
  return time
}
