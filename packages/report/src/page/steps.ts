/** Steps of a test with a machine: one per action with its outcome, and one per failure. */
import type { MachineFiles, MachineStep, QmpLine } from './machine-files.ts'

/** A row of the list of steps. */
export interface Step extends MachineStep {
  /** Start of the action, seconds; the same as `time`, its end, if it took no time. */
  readonly from: number
  readonly failed: boolean
}

/** Kinds that start an action. Another entry with the same id is its outcome. */
const STARTS = ['expect', 'command']
/** Outcomes of a failed wait. */
const FAILED_WAITS = ['timeout', 'failure']
/** Longest time between an incident, or an error of the test, and the failed wait that belongs to it, seconds. */
const SOON = 1

/**
 * The steps, by the time of their outcome. A failure is one step, although its wait, the incident in the guest and the
 * error of the test are separate entries of the timeline.
 */
export function stepsOf({ steps, qmp }: MachineFiles): readonly Step[] {
  const all = steps.some(({ kind }) => kind === 'event') ? steps : [...steps, ...qmp.flatMap(eventOf)]
  const entries = all.toSorted((a, b) => a.time - b.time)
  const outcomes = new Set(entries.flatMap(({ id, kind }) => (id !== undefined && !STARTS.includes(kind) ? [id] : [])))
  const starts = new Map(entries.flatMap((entry) => (STARTS.includes(entry.kind) ? [[entry.id, entry.time]] : [])))
  const rows = entries
    .filter(({ id, kind }) => !(STARTS.includes(kind) && id !== undefined && outcomes.has(id)))
    .map((entry): Step => ({ ...entry, from: startOf(entry, starts), failed: isFailure(entry) }))
  const reports = rows.filter(({ kind }) => kind === 'error' || kind === 'incident')
  const causes = new Map(reports.map((report) => [report, rows.find((row) => isSameFailure(row, report))]))
  const causing = new Set(causes.values())
  return rows
    .filter((row) => causes.get(row) === undefined)
    .map((row) => (causing.has(row) ? { ...row, failed: true } : row))
}

/** The last failure, where the replay stands initially. */
export function failureIn(steps: readonly Step[]): Step | undefined {
  return steps.findLast(({ failed }) => failed)
}

/** Whether a step is a failure of the test. Failed commands can be expected, incidents can be allowed, and events are no failures. */
function isFailure({ ok, kind }: MachineStep): boolean {
  return kind === 'incident' ? ok !== true : ok === false && kind !== 'result' && kind !== 'event'
}

function startOf({ id, time, duration = 0 }: MachineStep, starts: ReadonlyMap<unknown, unknown>): number {
  const start = id === undefined ? undefined : starts.get(id)
  return typeof start === 'number' ? Math.min(start, time) : Math.max(0, time - duration / 1000)
}

/** Whether a report, an error of the test or an incident, is about a failed wait or command. */
function isSameFailure(row: Step, report: Step): boolean {
  if (row.kind === 'result') return row.ok === false && report.kind === 'error' && isAboutCommand(report.text, row.text)
  if (!FAILED_WAITS.includes(row.kind)) return false
  if (report.kind === 'incident') {
    const message = report.text.slice(report.text.indexOf(': ') + 2).split('\n', 1)[0] ?? ''
    return Math.abs(row.time - report.time) < SOON && message !== '' && row.text.includes(message)
  }
  const [first = ''] = row.text.split('\n', 1)
  return (first !== '' && report.text.includes(first)) || isSameLine(row.location, report.location)
}

/** The text of a result is `exit code 1: the command`. */
function isAboutCommand(message: string, result: string): boolean {
  return message.includes(`\`${result.slice(result.indexOf(': ') + 2)}\``)
}

/** Whether two locations `file:line:column` are on the same line. The columns of a wait (matcher) and its error (`expect`) differ. */
function isSameLine(one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one.replace(/:\d+$/, '') === other?.replace(/:\d+$/, '')
}

function eventOf({ time, message }: QmpLine): MachineStep[] {
  const { event, data } = message
  if (typeof event !== 'string') return []
  return [{ time, kind: 'event', text: data === undefined ? event : `${event} ${JSON.stringify(data)}` }]
}
