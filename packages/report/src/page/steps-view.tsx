/** Shows the steps of a machine beside its replay, one row per step. */
import { formatDuration } from '@coldboot/core/internal'
import type { VNode } from 'preact'
import { valueOf } from './bounded-file.ts'
import { counted, formatText } from './format-text.ts'
import { JsonText } from './json-text.tsx'
import type { PageContext } from './page-context.ts'
import { PlaceLink, placeOf } from './place-link.tsx'
import { Prose } from './prose.tsx'
import type { Step } from './steps.ts'

/** Limits of the rows of one machine. The last rows are kept, because they contain the failure. */
const ROWS = { most: 1_000, least: 20 }

/** Names of the steps whose kind is the name of an outcome. */
const NAMES: Readonly<Record<string, string>> = {
  match: 'expect',
  timeout: 'expect',
  failure: 'expect',
  command: 'run',
  result: 'run',
  event: 'QEMU',
}

/** @param isTimed whether the times are buttons that move the replay */
export function StepsView(props: {
  readonly steps: readonly Step[]
  readonly page: PageContext
  readonly isTimed: boolean
}): VNode | null {
  const { steps, page, isTimed } = props
  if (steps.length === 0) return null
  const rows = steps.slice(-page.rows.grant(Math.min(steps.length, ROWS.most), ROWS.least))
  const omitted = steps.length - rows.length
  const events = rows.filter(({ kind }) => kind === 'event').length
  return (
    <div class="steps">
      <div class="steps-box">
        <p class="steps-title">
          <b>Steps</b>
          {events > 0 && (
            <label>
              <input type="checkbox" class="show-event" /> {counted(events, 'event')} of QEMU
            </label>
          )}
        </p>
        {omitted > 0 && <p class="note">{counted(omitted, 'earlier step')}: see the files.</p>}
        <ol tabIndex={0} aria-label="Steps">
          {rows.map((step) => (
            <Row step={step} page={page} isTimed={isTimed} />
          ))}
        </ol>
      </div>
    </div>
  )
}

function Row({
  step,
  page,
  isTimed,
}: {
  readonly step: Step
  readonly page: PageContext
  readonly isTimed: boolean
}): VNode {
  const { kind, time, from, failed, text, duration, location } = step
  const place = location === undefined ? undefined : placeOf(location)
  const shown = `${time.toFixed(2)} s`
  return (
    <li
      class={failed ? 'step failed' : 'step'}
      data-kind={kind}
      data-time={time}
      data-from={from === time ? undefined : from}
      data-keys={kind === 'send' || kind === 'input' ? keysOf(text) : undefined}
    >
      {isTimed ? (
        <button type="button" class="time" title="Show in the replay">
          {shown}
        </button>
      ) : (
        <span class="time">{shown}</span>
      )}
      <span class="kind">{formatText(NAMES[kind] ?? kind)}</span>
      <div class="what">
        <What step={step} />
        {duration !== undefined && <span class="duration">{formatDuration(duration)} </span>}
        {place && (
          <span class="location">
            <PlaceLink place={place} page={page} />
          </span>
        )}
        {location !== undefined && place === undefined && <span class="location">{formatText(location)}</span>}
      </div>
    </li>
  )
}

/** Formats input on one line. */
function keysOf(text: string): string {
  return formatText(text.replaceAll('\n', '⏎').replaceAll('\r', '⏎'))
}

/** The pattern of a wait and its outcome. A long message is folded after its first line. */
function What({ step }: { readonly step: Step }): VNode {
  const { kind, pattern, failed } = step
  const text = formatText(step.text).trim()
  if (kind === 'event') return <Event text={text} />
  if (kind === 'result') return <Command text={text} />
  if (failed || kind === 'error') return <Message text={text || formatText(pattern ?? '')} />
  return (
    <>
      {pattern !== undefined && <code>{formatText(pattern)} </code>}
      {text !== pattern && JSON.stringify(step.text) !== pattern && <code>{text} </code>}
    </>
  )
}

function Message({ text }: { readonly text: string }): VNode {
  const [first = '', ...rest] = text.split('\n')
  if (rest.length === 0) {
    return (
      <span class="message">
        <Prose text={first} />{' '}
      </span>
    )
  }
  return (
    <details>
      <summary>
        <Prose text={first} />
      </summary>
      <pre>{rest.join('\n').trim()}</pre>
    </details>
  )
}

/** The text of an event is its name and its data. */
function Event({ text }: { readonly text: string }): VNode {
  const [, name = text, json] = /^(\S+) (\{.*)$/s.exec(text) ?? []
  const data = json === undefined ? undefined : valueOf(json)
  return <JsonText title={<code>{data === undefined ? text : name}</code>} value={data} />
}

/** The text of a result is its exit code and the command. */
function Command({ text }: { readonly text: string }): VNode {
  const [, outcome, command = text] = /^(exit code \d+): (.*)$/s.exec(text) ?? []
  return (
    <>
      <code>{command} </code>
      {outcome !== undefined && outcome !== 'exit code 0' && <b class="outcome">{outcome} </b>}
    </>
  )
}
