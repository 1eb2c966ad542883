/**
 * Runs a restored guest for a moment, so that QEMU translates its code before the test. Without hardware acceleration,
 * the first command of a restored machine takes about 25 ms, later ones 5 ms.
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { startTimer, stopTimer } from '../../host/clock.ts'
import type { QmpClient } from '../../qemu/qmp.ts'
import type { Restoration } from '../restore.ts'

/** A shell prompt. At a shell, an empty line only prints the prompt again. */
const SHELL_PROMPT = /[#$] $/
/** Shell integration mark after a prompt (OSC 133), as printed by the guest of `@coldboot/guest`. */
const MARK_AFTER_PROMPT = '\x1b]133;B\x07'

/** Time limits of a warm-up, milliseconds. */
export interface WarmUpLimits {
  /** Time for all lines. */
  readonly freeMs: number
  /** Time for the current line after a start has taken the machine. */
  readonly takenMs: number
}

const LIMITS: WarmUpLimits = { freeMs: 30_000, takenMs: 1_000 }

/**
 * The shell prompt of the guest; undefined if the guest cannot be warmed up. The console must end with the prompt,
 * because otherwise a program that runs in the foreground would receive the lines.
 */
export function warmUpPrompt({ spec: { accelerator, ready }, stored }: Restoration): string | undefined {
  if (accelerator !== 'tcg' || typeof ready !== 'string' || !SHELL_PROMPT.test(ready)) return undefined
  // Waits for the mark too, because input that arrives while the guest prints it would be echoed inside the mark.
  const marked = `${ready}${MARK_AFTER_PROMPT}`
  const text = Buffer.from(stored.console).toString('utf8')
  if (!text.endsWith(ready) && !text.endsWith(marked)) return undefined
  return text.includes(marked) ? marked : ready
}

/**
 * Sends empty lines to the shell of a stopped machine, and stops it again.
 *
 * @param prompt text that the guest prints when it waits for input
 * @param lines number of lines
 * @param taken skips the remaining lines when it aborts
 * @throws AbortError when the machine ends, or the prompt does not come in time; the machine cannot be used then
 */
export async function warmUp(
  { consoleStream: stream, qmp }: { readonly consoleStream: Duplex; readonly qmp: QmpClient },
  prompt: string,
  lines: number,
  taken: AbortSignal,
  { freeMs, takenMs }: WarmUpLimits = LIMITS,
): Promise<void> {
  if (taken.aborted || lines === 0) return
  const gone = new AbortController()
  const end = (): void => gone.abort()
  const endAfter = (milliseconds: number): NodeJS.Timeout => startTimer(end, milliseconds).unref()
  const timers = [endAfter(freeMs)]
  let text = ''
  const hurry = (): void => void timers.push(endAfter(takenMs))
  taken.addEventListener('abort', hurry, { once: true })
  try {
    stream.once('end', end).once('close', end)
    if (stream.readableEnded || stream.destroyed) end()
    await qmp.execute('cont')
    for (let line = 0; line < lines && !taken.aborted; line++) {
      stream.write('\n')
      text = ''
      while (!text.includes(prompt)) {
        const chunk = stream.read() as Buffer | null
        if (chunk === null) await once(stream, 'readable', { signal: gone.signal })
        else text += chunk.toString('latin1')
      }
    }
  } finally {
    taken.removeEventListener('abort', hurry)
    for (const timer of timers) stopTimer(timer)
  }
  await qmp.execute('stop')
  // Lets Node read output of the guest that has arrived but has not been read yet.
  await nextTurn()
  text += ((stream.read() as Buffer | null) ?? Buffer.alloc(0)).toString('latin1')
  stream.removeAllListeners('readable').off('end', end).off('close', end)
  // Only the output up to the last prompt is dropped. The guest may have been stopped while it printed a mark, and the
  // test must receive the whole mark.
  stream.unshift(Buffer.from(text.slice(text.lastIndexOf(prompt) + prompt.length), 'latin1'))
}
