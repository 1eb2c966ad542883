/**
 * What a guest must be told when it goes on from a save: what the time is now, and randomness that no other copy of it
 * has. Without it the wall clock stands at the save, and copies draw the same numbers where the kernel hears nothing of a
 * new generation id.
 */
import { randomBytes } from 'node:crypto'
import type { AgentConnection } from './agent-connection.ts'
import { type AgentFrame, CLOCK, encodeFrame, FAIL, RESEED } from './agent-frames.ts'

/** As much as a pool of Linux takes in at once, bytes. */
const SEED_BYTES = 64

/** Resolves when the guest has both; rejects when its kernel refuses one. */
export async function renew(connection: AgentConnection): Promise<void> {
  const ready = connection.ready()
  // Sent at once, behind the question that opens the line: one round trip for all.
  await Promise.all([ready, ask(connection, CLOCK, timeNow()), ask(connection, RESEED, randomBytes(SEED_BYTES))])
}

async function ask(connection: AgentConnection, type: number, payload: Uint8Array): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<AgentFrame>()
  using request = connection.request(resolve, () => reject(new Error('The agent started again')))
  connection.send(encodeFrame(type, request.id, payload))
  const answer = await promise
  if (answer.type === FAIL) throw new Error(`The guest refused ${type === CLOCK ? 'the time' : 'randomness'}`)
}

/** Seconds (8 bytes) and nanoseconds (4) since 1970. */
function timeNow(): Buffer {
  const milliseconds = Date.now()
  const time = Buffer.alloc(12)
  time.writeBigUInt64LE(BigInt(Math.floor(milliseconds / 1000)), 0)
  time.writeUInt32LE((milliseconds % 1000) * 1_000_000, 8)
  return time
}
