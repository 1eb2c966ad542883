/** Shows a machine: console replay, screenshots, timeline, command line and files. */
import { join } from 'node:path'
import type { VNode } from 'preact'
import { MACHINE_FILE, resumeCommand } from '../resume-command.ts'
import { Block } from './block.tsx'
import type { ConsoleReplay } from './console-replay.ts'
import { formatBytes, formatText } from './format-text.ts'
import { failureOf, type MachineFiles, type QmpLine } from './machine-files.ts'
import { dataId, type PageContext } from './page-context.ts'
import { TimelineView } from './timeline-view.tsx'

/** Maximum number of QMP messages of one machine. */
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
      {replay !== undefined && <FilmView id={replay} machine={machine} page={page} />}
      {machine.screens.map(({ name, png }) => (
        <Screen name={name} png={png} page={page} />
      ))}
      <TimelineView machine={machine} page={page} replay={replay} />
      {machine.commandLine && <CommandLine id={page.nextId('command')} text={formatText(machine.commandLine).trim()} />}
      {machine.files.some(({ name }) => name === MACHINE_FILE) && (
        <Resume id={page.nextId('resume')} text={resumeCommand(join(machine.directory, MACHINE_FILE), page.root)} />
      )}
      <Messages qmp={machine.qmp} page={page} />
      <Files machine={machine} page={page} />
    </div>
  )
}

/** A recording without output. */
const SILENT: ConsoleReplay = {
  cast: `${JSON.stringify({ version: 2, width: 80, height: 3 })}\n`,
  markers: [],
  duration: 0,
}

/** Embeds the data of a player. @returns the id of the player; undefined without a recording or space for it */
function addReplay(machine: MachineFiles, page: PageContext): string | undefined {
  // A film is played by the replay of the console, also if the console has no output.
  const replay = machine.replay ?? (machine.film.length > 0 ? SILENT : undefined)
  if (replay === undefined || !page.budget.take(replay.cast.length)) return undefined
  const failure = failureOf(machine)
  const end = Math.max(replay.duration, machine.steps.at(-1)?.time ?? 0, machine.film.at(-1)?.time ?? 0)
  const markers = failure ? [...replay.markers, [failure.time, failure.text] as const] : replay.markers
  const id = page.nextId('replay')
  page.data.set(dataId(id), {
    // Extends the recording to the last step, because it ends with the last output.
    cast: `${replay.cast}${JSON.stringify([end, 'o', ''])}\n`,
    // The player shows only one marker for each time.
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
      <noscript>The replay needs JavaScript. The timeline also contains the console output.</noscript>
      <p class="replay-bar">
        <button type="button" data-replay={id} data-time={0}>
          From the start
        </button>
        {failure && (
          <button type="button" data-replay={id} data-time={failure.time}>
            To the failure at {failure.time.toFixed(2)} s
          </button>
        )}
        <span class="note">Space: play or pause. ← and →: seek. [ and ]: previous and next marker.</span>
      </p>
    </div>
  )
}

/** The displays of the machine at the time of the replay, one picture for each. Its script changes them. */
function FilmView(props: {
  readonly id: string
  readonly machine: MachineFiles
  readonly page: PageContext
}): VNode | null {
  const { id, machine, page } = props
  const pictures: Record<string, string> = {}
  // The last frames, which show the failure, if there is no space for all.
  const shown = machine.film
    .toReversed()
    .filter(({ file, png }) => {
      if (Object.hasOwn(pictures, file)) return true
      if (!page.budget.take(Math.ceil(png.length / 3) * 4)) return false
      pictures[file] = `data:image/png;base64,${png.toString('base64')}`
      return true
    })
    .toReversed()
    .map(({ time, display, file }) => ({ time, display, file }))
  if (shown.length === 0) return null
  page.data.set(`${dataId(id)}-film`, { frames: shown, pictures })
  const displays = [...new Set(shown.map(({ display }) => display))].sort((a, b) => a - b)
  return (
    <div class="film" data-film={id}>
      {displays.map((display) => (
        <figure class="screen">
          <figcaption>
            Display{displays.length > 1 ? ` ${display}` : ''} at <span class="film-time" />
          </figcaption>
          <img data-display={display} alt={`Display ${display} at the time of the replay`} />
        </figure>
      ))}
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
  if (name.endsWith('.expected.png')) return 'Expected screenshot'
  if (name.endsWith('.actual.png')) return 'Actual screenshot'
  if (name.endsWith('.difference.png')) return 'Pale expected screenshot with different pixels in red'
  return 'Screenshot at the end of the test'
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

function Resume({ id, text }: { readonly id: string; readonly text: string }): VNode {
  return (
    <div class="more resume">
      <p>The machine as it was when the test failed:</p>
      <pre id={id} class="command-line" tabIndex={0} role="group" aria-label="Command that resumes the machine">
        {formatText(text)}
      </pre>
      <button type="button" data-copy={id}>
        Copy
      </button>
    </div>
  )
}

function Messages({ qmp, page }: { readonly qmp: readonly QmpLine[]; readonly page: PageContext }): VNode | null {
  const shown = page.rows.grant(Math.min(qmp.length, MESSAGES), 0)
  if (shown === 0) return null
  return (
    <details class="more">
      <summary>QMP messages ({shown < qmp.length ? `the last ${shown} of ${qmp.length}` : shown})</summary>
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
