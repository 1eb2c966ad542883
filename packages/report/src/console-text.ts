/** Writes a console as clean text, with the time of the first character before each line. */
import { CleanText } from '@coldboot/core/internal'
import type { TimedBytes } from './timed-log.ts'

/** Lines such as `[   1.234] Welcome`, with seconds since the start of the machine. */
export function consoleText(pieces: readonly TimedBytes[]): readonly string[] {
  const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })
  const clean = new CleanText()
  const lines: string[] = []
  let line = ''
  let since = 0
  const add = (text: string, time: number): void => {
    if (text === '') return
    const [first = '', ...others] = text.split('\n')
    if (line === '') since = time
    line += first
    for (const other of others) {
      lines.push(stamped(since, line))
      line = other
      since = time
    }
  }
  for (const { time, bytes } of pieces) add(clean.push(utf8.decode(bytes, { stream: true })), time)
  add(clean.push(utf8.decode()) + clean.end(), pieces.at(-1)?.time ?? 0)
  if (line !== '') lines.push(stamped(since, line))
  return lines
}

function stamped(seconds: number, line: string): string {
  return `[${seconds.toFixed(3).padStart(8)}] ${line}`
}
