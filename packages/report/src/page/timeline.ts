/** Merges the steps, events and console lines of a machine by time. */
import { type ConsoleLine, isFailure, type MachineFiles, type MachineStep, type QmpLine } from './machine-files.ts'

/** A row of the timeline. */
export type TimelineRow = StepRow | ConsoleRow

/** A step of the test or an event of the machine. */
export interface StepRow extends MachineStep {
  readonly type: 'step'
  readonly failed: boolean
}

/** Console output between two steps. */
export interface ConsoleRow {
  readonly type: 'console'
  /** Time of the first line; undefined if unknown. */
  readonly time: number | undefined
  readonly lines: readonly ConsoleLine[]
}

/** The rows by time. A line without a time gets that of the previous line. */
export function timelineOf(machine: MachineFiles): readonly TimelineRow[] {
  const rows: TimelineRow[] = []
  let group: ConsoleLine[] | undefined
  for (const { step, line } of entriesOf(machine).sort((a, b) => a.time - b.time)) {
    if (step) {
      // The end of a wait that directly follows its start replaces it.
      if (isBeginningOf(rows.at(-1), step)) rows.pop()
      rows.push({ ...step, type: 'step', failed: isFailure(step) })
      group = undefined
    } else if (group) {
      group.push(line)
    } else {
      group = [line]
      rows.push({ type: 'console', time: line.time, lines: group })
    }
  }
  return rows
}

function isBeginningOf(row: TimelineRow | undefined, { id }: MachineStep): boolean {
  return id !== undefined && row?.type === 'step' && row.id === id
}

type Entry =
  | { readonly time: number; readonly step: MachineStep; readonly line?: never }
  | { readonly time: number; readonly step?: never; readonly line: ConsoleLine }

/** The console comes first: at the same time, output is the cause of a match. */
function entriesOf({ lines, steps, qmp }: MachineFiles): Entry[] {
  let last = 0
  const printed = lines.map((line): Entry => {
    last = line.time ?? last
    return { time: last, line }
  })
  const all = steps.some(({ kind }) => kind === 'event') ? steps : [...steps, ...qmp.flatMap(eventOf)]
  return [...printed, ...all.map((step): Entry => ({ time: step.time, step }))]
}

function eventOf({ event, time }: QmpLine): MachineStep[] {
  return event === undefined ? [] : [{ time, kind: 'event', text: event }]
}
