/** A machine of a failed attempt: its console replayed, its timeline, its display, how to start it again, and its files. */
import type { VNode } from 'preact'
import { Block } from './block.tsx'
import { formatBytes, formatText } from './format-text.ts'
import { failureOf, type MachineFiles, type QmpLine } from './machine-files.ts'
import { dataId, type PageContext } from './page-context.ts'
import { TimelineView } from './timeline-view.tsx'

/** Messages of the monitor that are shown of one machine. */
const MESSAGES = 300

export function MachineView({ machine, page }: { readonly machine: MachineFiles; readonly page: PageContext }): VNode {
  const replay = addReplay(machine, page)
  return (
    <div class="machine">
      <h3>
        <span class="noun">Machine</span> {formatText(machine.name)}
      </h3>
      {machine.facts.length > 0 && (
        <dl class="facts">
          {machine.facts.map(([title, value]) => (
            <div>
              <dt>{title}</dt>
              <dd>{formatText(value)}</dd>
            </div>
          ))}
        </dl>
      )}
      {replay !== undefined && <Replay id={replay} machine={machine} />}
      {machine.screens.map(({ name, png }) => (
        <Screen name={name} png={png} page={page} />
      ))}
      <TimelineView machine={machine} page={page} replay={replay} />
      {machine.commandLine && <CommandLine id={page.nextId('command')} text={formatText(machine.commandLine).trim()} />}
      <Messages qmp={machine.qmp} page={page} />
      <Files machine={machine} page={page} />
    </div>
  )
}

/** Gives the player its data. @returns the player's id, when there is something to replay and room for it */
function addReplay(machine: MachineFiles, page: PageContext): string | undefined {
  const { replay } = machine
  if (replay === undefined || !page.budget.take(replay.cast.length)) return undefined
  const failure = failureOf(machine)
  const end = Math.max(replay.duration, machine.steps.at(-1)?.time ?? 0)
  const markers = failure ? [...replay.markers, [failure.time, failure.text] as const] : replay.markers
  const id = page.nextId('replay')
  page.data.set(dataId(id), {
    // A recording ends with its last byte; the silence after it belongs to the replay.
    cast: `${replay.cast}${JSON.stringify([end, 'o', ''])}\n`,
    // Two of one moment would be one mark on the bar, with the label of the first.
    markers: markers.filter(([time], index) => markers.findIndex(([other]) => other === time) === index),
    startAt: failure?.time ?? end,
  })
  return id
}

function Replay({ id, machine }: { readonly id: string; readonly machine: MachineFiles }): VNode {
  const failure = failureOf(machine)
  return (
    <div class="replay-box">
      <div class="replay" id={id} role="group" aria-label={`Replay of the console of ${machine.name}`} />
      <noscript>The replay needs JavaScript; what was printed is in the timeline.</noscript>
      <p class="replay-bar">
        <button type="button" data-replay={id} data-time={0}>
          From the start
        </button>
        {failure && (
          <button type="button" data-replay={id} data-time={failure.time}>
            To the failure at {failure.time.toFixed(2)} s
          </button>
        )}
        <span class="note">Space plays, ← and → move, [ and ] jump between marks.</span>
      </p>
    </div>
  )
}

function Screen(props: { readonly name: string; readonly png: Buffer; readonly page: PageContext }): VNode | null {
  const { name, png, page } = props
  const data = png.toString('base64')
  if (!page.budget.take(data.length)) return null
  return (
    <figure class="screen">
      <figcaption>Display: {name}</figcaption>
      <img src={`data:image/png;base64,${data}`} alt={pictured(name)} loading="lazy" />
    </figure>
  )
}

function pictured(name: string): string {
  if (name.endsWith('.expected.png')) return 'What the display was to show'
  if (name.endsWith('.actual.png')) return 'What the display showed instead'
  if (name.endsWith('.difference.png')) return 'What was expected, pale, with the pixels that differ in red'
  return 'What the display showed at the end of the test'
}

function CommandLine({ id, text }: { readonly id: string; readonly text: string }): VNode {
  return (
    <details class="more">
      <summary>Command line that starts the same machine</summary>
      <pre id={id} class="command-line" tabIndex={0} role="group" aria-label="Command line">
        {text}
      </pre>
      <button type="button" data-copy={id}>
        Copy
      </button>
    </details>
  )
}

function Messages({ qmp, page }: { readonly qmp: readonly QmpLine[]; readonly page: PageContext }): VNode | null {
  const shown = page.rows.grant(Math.min(qmp.length, MESSAGES), 0)
  if (shown === 0) return null
  return (
    <details class="more">
      <summary>
        Messages of QEMU's monitor ({shown < qmp.length ? `the last ${shown} of ${qmp.length}` : shown})
      </summary>
      <Block title="QMP">
        {qmp.slice(-shown).map(({ time, direction, json }) => (
          <span
            class={direction}
          >{`${time.toFixed(3).padStart(8)} ${direction === 'sent' ? '→' : '←'} ${formatText(json)}\n`}</span>
        ))}
      </Block>
    </details>
  )
}

function Files({ machine, page }: { readonly machine: MachineFiles; readonly page: PageContext }): VNode | null {
  if (machine.files.length === 0) return null
  const folder = page.href(machine.directory)
  return (
    <details class="more files">
      <summary>Files ({machine.files.length})</summary>
      <p class="note">
        Beside this page, in <a href={`${folder}/`}>{formatText(decodeURIComponent(folder))}</a>
      </p>
      {machine.cut.map(([file, why]) => (
        <p class="note">
          {formatText(file)}: {formatText(why)}
        </p>
      ))}
      <ul>
        {machine.files.map(({ name, bytes }) => (
          <li>
            <a href={`${folder}/${encodeURIComponent(name)}`}>{formatText(name)}</a>{' '}
            <span class="note">{formatBytes(bytes)}</span>
          </li>
        ))}
      </ul>
    </details>
  )
}
