/**
 * Sets the clock of a restored guest with QEMU's guest agent. Entropy is not added: the kernel reseeds if it supports
 * generation ids.
 */
import { wallClock } from '../../host/clock.ts'
import type { CommandTransport } from '../command-transport.ts'
import { type Limits, within } from '../waiting.ts'
import { type QgaConnection, QgaRefusal } from './qga-connection.ts'

/**
 * Resolves when the clock is set, with an accuracy of some hundredths of a second.
 * @param transport runs a command if the agent cannot set the time, which needs `hwclock` (qga/commands-posix.c)
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
