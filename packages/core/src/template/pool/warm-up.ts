/**
 * Runs a restored guest for a moment, so that QEMU translates its code before the test. Without hardware acceleration,
 * the first command of a restored machine takes about 80 ms, later ones 7.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startTimer, stopTimer } from '../../host/clock.ts'
import type { QmpClient } from '../../qemu/qmp.ts'

/** Time limits of a warm-up, milliseconds. */
export interface WarmUpLimits {
  /** Time for all answers. */
  readonly freeMs: number
  /** Time after a start has taken the machine. */
  readonly takenMs: number
}

const LIMITS: WarmUpLimits = { freeMs: 30_000, takenMs: 1_000 }

/** A request on a stream of the guest, and its answer. Texts are bytes (latin1). Plain data. */
export interface WarmUpExchange {
  readonly request: string
  /** What ends the answer. */
  readonly end: string
  /** Number of bytes after `end` that belong to the answer. @default 0 */
  readonly after?: number
  /** How often the request is sent, each time after the previous answer. @default 1 */
  readonly times?: number
}

/**
 * Continues a stopped machine for an exchange, and stops it again.
 *
 * @param taken aborts when a start takes the machine. No further request is sent then
 * @throws AbortError when the machine ends, or the answer does not come in time; the machine cannot be used then
 */
export async function warmUp(
  { qmp, stream }: { readonly qmp: QmpClient; readonly stream: Duplex },
  { request, end: answerEnd, after = 0, times = 1 }: WarmUpExchange,
  taken: AbortSignal,
  { freeMs, takenMs }: WarmUpLimits = LIMITS,
): Promise<void> {
  if (taken.aborted) return
  const gone = new AbortController()
  const end = (): void => gone.abort()
  const endAfter = (milliseconds: number): NodeJS.Timeout => startTimer(end, milliseconds).unref()
  const timers = [endAfter(freeMs)]
  let output = ''
  const answered = (): number => {
    const found = output.lastIndexOf(answerEnd)
    return found < 0 || found + answerEnd.length + after > output.length ? -1 : found + answerEnd.length + after
  }
  const hurry = (): void => void timers.push(endAfter(takenMs))
  taken.addEventListener('abort', hurry, { once: true })
  try {
    stream.once('end', end).once('close', end)
    if (stream.readableEnded || stream.destroyed) end()
    await qmp.execute('cont')
    // The first request is always sent, because all output after the last answer is kept.
    for (let sent = 0; sent < times && (sent === 0 || !taken.aborted); sent++) {
      stream.write(Buffer.from(request, 'latin1'))
      output = ''
      while (answered() < 0) {
        const chunk = stream.read() as Buffer | null
        if (chunk === null) await once(stream, 'readable', { signal: gone.signal })
        else output += chunk.toString('latin1')
      }
    }
  } finally {
    taken.removeEventListener('abort', hurry)
    for (const timer of timers) stopTimer(timer)
  }
  await qmp.execute('stop')
  // Lets Node read output of the guest that has arrived but has not been read yet.
  await nextTurn()
  output += ((stream.read() as Buffer | null) ?? Buffer.alloc(0)).toString('latin1')
  stream.removeAllListeners('readable').off('end', end).off('close', end)
  // Only the output up to the last answer is dropped. The guest may have been stopped while it printed a mark, and the
  // test must receive the whole mark.
  stream.unshift(Buffer.from(output.slice(answered()), 'latin1'))
}
