/**
 * Tells a guest with QEMU's guest agent what the time is when it goes on from a save. New randomness it draws by itself,
 * where its kernel heeds the generation id.
 */
import { wallClock } from '../../host/clock.ts'
import type { CommandTransport } from '../command-transport.ts'
import { type Limits, within } from '../waiting.ts'
import { type QgaConnection, QgaRefusal } from './qga-connection.ts'

/**
 * Resolves when the guest has the time, to some hundredths of a second.
 * @param way to run a command by, where the agent cannot set the time itself: without `hwclock` it does not (qga/commands-posix.c)
 * @throws QgaRefusal, Interrupted
 */
export async function setTime(connection: QgaConnection, transport: CommandTransport, limits: Limits): Promise<void> {
  await within(connection.ready(), limits)
  try {
    // Nanoseconds.
    await within(connection.execute('guest-set-time', { time: wallClock() * 1e6 }), limits)
  } catch (error) {
    if (!(error instanceof QgaRefusal)) throw error
    const command = `date -s @${(wallClock() / 1000).toFixed(2)}`
    const request = { command, cwd: undefined, env: {}, input: new Uint8Array(0), signal: undefined }
    const { exitCode, stderr, failure } = await transport.run({ ...request, timeoutMs: limits.timeoutMs })
    if (exitCode === 0) return
    throw new QgaRefusal(error.errorClass, failure?.message ?? (Buffer.from(stderr).toString().trim() || error.message))
  }
}
