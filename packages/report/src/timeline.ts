/** What was done with a machine and what happened to it, as lines of `timeline.jsonl`. */
import type { MachineEvent, TestsEvent } from '@coldboot/core'

/** One line. */
export interface TimelineEntry {
  /** Seconds since the machine's start. */
  readonly time: number
  /**
   * `send`, `expect` and what it came to: `match`, `timeout`, or `failure` for any other reason; `command` and `result`;
   * `tests` (of the guest);
   * `incident`; `event` (of QEMU); `exit`; `error` (of the test); `cut` (lines are left out here).
   */
  readonly kind:
    | 'send'
    | 'expect'
    | 'match'
    | 'timeout'
    | 'failure'
    | 'command'
    | 'result'
    | 'tests'
    | 'incident'
    | 'event'
    | 'exit'
    | 'error'
    | 'cut'
  readonly text: string
  readonly duration?: number | undefined
  /** Whether it went as the test wanted. */
  readonly ok?: boolean | undefined
  /** `file:line:column` in the test. */
  readonly location?: string | undefined
  /** The same in the entries that begin and end something: an `expect` and its `match`, a `command` and its `result`. */
  readonly id?: string | undefined
  /** Of a wait: what it waits for. Its `text` is what came of it. */
  readonly pattern?: string | undefined
  /** Milliseconds that a wait may take. */
  readonly timeoutMs?: number | undefined
  /** Of an error. */
  readonly code?: string | undefined
  /** Of a result. */
  readonly exitCode?: number | undefined
}

const LONGEST = 4096
const TIMEOUTS = ['EXPECT_TIMEOUT', 'BOOT_TIMEOUT']

/** The line for an event; undefined for what is told elsewhere. `time` in seconds. */
export function timelineEntry(event: MachineEvent, time: number): TimelineEntry | undefined {
  switch (event.kind) {
    case 'send':
      return {
        time,
        kind: 'send',
        text: typeof event.data === 'string' ? event.data : Buffer.from(event.data).toString(),
      }
    case 'expect':
      return { time, kind: 'expect', text: event.pattern, ...waitOf(event) }
    case 'match':
      return {
        time,
        kind: 'match',
        text: bounded(event.text),
        ...waitOf(event),
        duration: rounded(event.duration),
        ok: true,
      }
    case 'unmatched': {
      const { code, message, duration } = event
      const kind = TIMEOUTS.includes(code) ? 'timeout' : 'failure'
      return { time, kind, text: bounded(message), ...waitOf(event), code, duration: rounded(duration), ok: false }
    }
    case 'command':
      return { time, kind: 'command', text: bounded(event.command), id: `command-${event.id}` }
    case 'result': {
      const { command, exitCode, message, duration } = event
      const how = message ?? `exit code ${exitCode}`
      const ok = exitCode === 0
      return {
        time,
        kind: 'result',
        text: bounded(`${how}: ${command}`),
        id: `command-${event.id}`,
        exitCode,
        duration: rounded(duration),
        ok,
      }
    }
    case 'tests':
      return { time, kind: 'tests', text: bounded(testsText(event)), ok: event.passed }
    case 'incident':
      return { time, kind: 'incident', text: bounded(`${event.failure}: ${event.message}`), ok: event.allowed }
    case 'qmp':
      return qmpEvent(event.message, time)
    case 'exit':
      return { time, kind: 'exit', text: event.message }
    case 'cut':
      return undefined
  }
}

function testsText({ tests, problems }: TestsEvent): string {
  const failed = tests.filter(({ status }) => status === 'failed').map(({ path }) => path.join(' > '))
  return [`${tests.length} tests, ${failed.length} failed`, ...failed, ...problems].join('; ')
}

/** QEMU's own events; a machine's restore and what was before it are nobody's business but `qmp.jsonl`'s. */
function qmpEvent(message: Readonly<Record<string, unknown>>, time: number): TimelineEntry | undefined {
  const { event, data } = message
  if (typeof event !== 'string' || time < 0) return undefined
  return { time, kind: 'event', text: data === undefined ? event : bounded(`${event} ${JSON.stringify(data)}`) }
}

function waitOf(event: {
  readonly id: number
  readonly pattern: string
  readonly timeoutMs: number
  readonly location: string | undefined
}): Partial<TimelineEntry> {
  const { id, pattern, timeoutMs, location } = event
  return { id: `expect-${id}`, pattern, location, ...(Number.isFinite(timeoutMs) ? { timeoutMs } : {}) }
}

function bounded(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}… (${text.length - LONGEST} more characters)`
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 1000) / 1000
}
