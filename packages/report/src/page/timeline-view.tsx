/** Shows the timeline of a machine: its steps and events, and the console output between them. */

import { relative } from 'node:path'
import { formatDuration } from '@coldboot/core/internal'
import type { VNode } from 'preact'
import { counted, formatBytes, formatText } from './format-text.ts'
import type { MachineFiles } from './machine-files.ts'
import type { PageContext } from './page-context.ts'
import { type ConsoleRow, type StepRow, timelineOf } from './timeline.ts'

/** Number of console lines that are not folded up. */
const SHORT = 6
/** Limits of the rows of one machine. The last rows are kept, because they contain the failure. */
const ROWS = { most: 1_000, least: 20 }

/** @param replay id of the player that the times link to */
export function TimelineView(props: {
  readonly machine: MachineFiles
  readonly page: PageContext
  readonly replay: string | undefined
}): VNode | null {
  const { machine, page, replay } = props
  const { root } = page
  const all = timelineOf(boundedText(machine, page))
  if (all.length === 0) return null
  const rows = all.slice(-page.rows.grant(Math.min(all.length, ROWS.most), ROWS.least))
  const omitted = all.length - rows.length
  const hasSteps = rows.some(({ type }) => type === 'step')
  return (
    <div class="timeline">
      <h4>{hasSteps ? 'Timeline' : 'Console'}</h4>
      {hasSteps && <Filters />}
      {omitted > 0 && <p class="note">{counted(omitted, 'earlier row')}: see the files.</p>}
      {machine.linesCut > 0 && (
        <p class="note">{formatBytes(machine.linesCut)} of earlier console output: see the files.</p>
      )}
      <ol>
        {rows.map((row) =>
          row.type === 'step' ? <Step step={row} root={root} replay={replay} /> : <Printed row={row} replay={replay} />,
        )}
      </ol>
    </div>
  )
}

/** Keeps only the last lines of the console if no space is left in the page. */
function boundedText(machine: MachineFiles, page: PageContext): MachineFiles {
  const length = machine.lines.reduce((sum, { text }) => sum + text.length, 0)
  return page.budget.take(length) ? machine : { ...machine, lines: machine.lines.slice(-ROWS.least) }
}

/** Check boxes that the style sheet applies. */
function Filters(): VNode {
  return (
    <fieldset>
      <legend>Show</legend>
      <label>
        <input type="checkbox" class="show-console" checked /> console
      </label>
      <label>
        <input type="checkbox" class="show-event" checked /> QEMU events
      </label>
    </fieldset>
  )
}

function Step({
  step,
  root,
  replay,
}: {
  readonly step: StepRow
  readonly root: string
  readonly replay: string | undefined
}): VNode {
  return (
    <li class={`step ${step.failed ? 'failed' : ''}`} data-kind={step.kind}>
      <Time time={step.time} replay={replay} />
      <span class="kind">{formatText(step.kind)}</span>
      <div class="what">
        <What step={step} />
        {step.duration !== undefined && <span class="duration">{formatDuration(step.duration)} </span>}
        {step.location && <span class="location">{formatText(relativeTo(root, step.location))}</span>}
      </div>
    </li>
  )
}

/** The pattern of a wait and its outcome. A long message is folded up after its first line. */
function What({ step }: { readonly step: StepRow }): VNode {
  const { kind, pattern } = step
  const text = formatText(step.text)
  const [first = '', ...rest] = text.trim().split('\n')
  const isMessage = step.failed || kind === 'error'
  return (
    <>
      {pattern !== undefined && !(isMessage && first) && <code>{formatText(pattern)} </code>}
      {!isMessage && text !== pattern && JSON.stringify(text) !== pattern && <code>{text} </code>}
      {isMessage && rest.length === 0 && <span>{first} </span>}
      {isMessage && rest.length > 0 && (
        <details>
          <summary>{first}</summary>
          <pre>{rest.join('\n').trim()}</pre>
        </details>
      )}
    </>
  )
}

function Printed({ row, replay }: { readonly row: ConsoleRow; readonly replay: string | undefined }): VNode {
  const lines = formatText(row.lines.map(({ text }) => text).join('\n'))
    .replace(/^\n+|\n+$/g, '')
    .split('\n')
  const last = lines.slice(-SHORT).join('\n')
  return (
    <li class="printed" data-kind="console">
      <Time time={row.time} replay={replay} />
      <span class="kind">console</span>
      <div class="what">
        {lines.length > SHORT && (
          <details>
            <summary>{counted(lines.length - SHORT, 'earlier line')}</summary>
            <pre>{lines.slice(0, -SHORT).join('\n')}</pre>
          </details>
        )}
        <pre>{last}</pre>
      </div>
    </li>
  )
}

function Time({ time, replay }: { readonly time: number | undefined; readonly replay: string | undefined }): VNode {
  if (time === undefined) return <span class="time" />
  const shown = `${time.toFixed(2)} s`
  if (replay === undefined) return <span class="time">{shown}</span>
  return (
    <button type="button" class="time" data-replay={replay} data-time={time} title="Show in the replay">
      {shown}
    </button>
  )
}

function relativeTo(root: string, location: string): string {
  const path = relative(root, location)
  return path.startsWith('..') ? location : path
}
