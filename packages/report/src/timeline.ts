/** Converts the events of a machine to lines of `timeline.jsonl`. */
import { basename } from 'node:path'
import type { MachineEvent, PowerAction, TestsEvent } from '@coldboot/core'

/** One line of `timeline.jsonl`. */
export interface TimelineEntry {
  /** Seconds since the machine's start. */
  readonly time: number
  /**
   * `send`; `expect` and its outcome, `match`, `timeout` or `failure`; `command` and its `result`; `tests` (inside the
   * guest); `incident`; `event` (of QEMU); `exit`; `error` (of the test); `cut` (the rest is left out).
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
    | 'checkpoint'
    | 'revert'
    | 'power'
    | 'input'
    | 'error'
    | 'cut'
  readonly text: string
  readonly duration?: number | undefined
  /** Whether the outcome is the one that the test expects. */
  readonly ok?: boolean | undefined
  /** `file:line:column` in the test. */
  readonly location?: string | undefined
  /** Links related entries: an `expect` and its `match`, a `command` and its `result`. */
  readonly id?: string | undefined
  /** Pattern of a wait. Its `text` is the outcome. */
  readonly pattern?: string | undefined
  /** Time limit of a wait, milliseconds. */
  readonly timeoutMs?: number | undefined
  /** Code of an error. */
  readonly code?: string | undefined
  /** Exit code of a command. */
  readonly exitCode?: number | undefined
}

const LONGEST = 4096
const TIMEOUTS = ['EXPECT_TIMEOUT', 'BOOT_TIMEOUT']

/** Converts an event; returns undefined for events that are recorded elsewhere. @param time seconds */
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
    case 'dump': {
      const { file, bytes, problem, duration } = event
      const text = problem ?? `memory dumped to ${basename(file)}: ${bytes} bytes`
      return { time, kind: 'event', text: bounded(text), duration: rounded(duration), ok: problem === undefined }
    }
    case 'exit':
      return { time, kind: 'exit', text: event.message }
    case 'checkpoint':
    case 'revert':
      return { time, kind: event.kind, text: event.name, duration: rounded(event.duration) }
    case 'input':
      return { time, kind: 'input', text: bounded(event.text) }
    case 'power':
      return { time, kind: 'power', text: POWER_TEXTS[event.action] }
    case 'cut':
      return undefined
  }
}

const POWER_TEXTS: Readonly<Record<PowerAction, string>> = {
  button: 'power button pressed',
  reset: 'reset',
  pause: 'CPUs paused',
  unpause: 'CPUs continued',
  nmi: 'non-maskable interrupt',
  cut: 'power cut',
  on: 'power on',
}

function testsText({ tests, problems }: TestsEvent): string {
  const failed = tests.filter(({ status }) => status === 'failed').map(({ path }) => path.join(' > '))
  return [`${tests.length} tests, ${failed.length} failed`, ...failed, ...problems].join('; ')
}

/** Events of QEMU, except those before the start and during a restore, which are only in `qmp.jsonl`. */
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
