/** What was done with a machine, what happened to it and what it printed, in one order. */
import { type ConsoleLine, isFailure, type MachineFiles, type MachineStep, type QmpLine } from './machine-files.ts'

/** A row of the timeline. */
export type TimelineRow = StepRow | ConsoleRow

/** Something that was done or that happened. */
export interface StepRow extends MachineStep {
  readonly type: 'step'
  readonly failed: boolean
}

/** What the machine printed between two steps. */
export interface ConsoleRow {
  readonly type: 'console'
  /** Of its first line; undefined when nobody wrote it down. */
  readonly time: number | undefined
  readonly lines: readonly ConsoleLine[]
}

/**
 * The steps, QEMU's events and the console's lines by time. What nobody dated counts as old as what comes before it.
 */
export function timelineOf(machine: MachineFiles): readonly TimelineRow[] {
  const rows: TimelineRow[] = []
  let group: ConsoleLine[] | undefined
  for (const { step, line } of entriesOf(machine).sort((a, b) => a.time - b.time)) {
    if (step) {
      // With nothing in between, the end of a wait tells of its beginning too.
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

/** The console comes before the steps: of two of one time, what was printed is what was waited for. */
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
