/** Shows the replay of a machine beside its displays and steps, with one time bar for all. */
import type { VNode } from 'preact'
import { ConsoleText } from './console-text-view.tsx'
import type { MachineFiles } from './machine-files.ts'
import { dataId, type PageContext } from './page-context.ts'
import { StepsView } from './steps-view.tsx'
import { Track } from './track-view.tsx'
import type { Workbench } from './workbench.ts'

export function WorkbenchView(props: {
  readonly machine: MachineFiles
  readonly work: Workbench
  readonly page: PageContext
}): VNode {
  const { machine, work, page } = props
  const id = page.nextId('work')
  const hasReplay = addReplay(id, machine, work, page)
  const frames = addFilm(id, work, page)
  const isTimed = work.end > 0
  return (
    <div class="workbench" id={id} data-machine={machine.name}>
      {isTimed && <Scrubber machine={machine} work={work} frames={frames} />}
      <div class="views">
        {hasReplay && <Tabs id={id} />}
        {hasReplay && (
          <div
            class="replay"
            id={`${id}-replay`}
            role="group"
            aria-label={`Replay of the console of ${machine.name}`}
          />
        )}
        <ConsoleText id={`${id}-text`} machine={machine} page={page} />
        {isTimed && <p class="keys" hidden />}
      </div>
      <Displays frames={frames} />
      <StepsView steps={work.steps} page={page} isTimed={isTimed} />
    </div>
  )
}

function Scrubber(props: {
  readonly machine: MachineFiles
  readonly work: Workbench
  readonly frames: Workbench['frames']
}): VNode {
  const { machine, work, frames } = props
  const { end, failure } = work
  const at = failure?.time ?? end
  return (
    <div class="scrubber" role="group" aria-label={`Time of ${machine.name}`}>
      <div class="controls">
        <button type="button" data-act="play" title="Play or pause (Space)">
          Play
        </button>
        <button type="button" data-act="previous" title="Previous step (,)" aria-label="Previous step">
          ‹
        </button>
        <button type="button" data-act="next" title="Next step (.)" aria-label="Next step">
          ›
        </button>
        {failure && (
          <button type="button" data-act="failure" data-at={failure.time} title="To the failure (f)">
            Failure
          </button>
        )}
        <button type="button" data-act="speed" title="Speed of the replay">
          1×
        </button>
        <span class="clock">
          <output>{at.toFixed(2)}</output> / {end.toFixed(2)} s
        </span>
      </div>
      <div class="track">
        <Track end={end} steps={work.steps} frames={frames} />
        <input
          type="range"
          min={0}
          max={end}
          step="any"
          value={at}
          aria-label={`Time of ${machine.name}`}
          aria-valuetext={`${at.toFixed(2)} seconds`}
        />
      </div>
    </div>
  )
}

function Tabs({ id }: { readonly id: string }): VNode {
  return (
    <div class="tabs" role="tablist" aria-label="Console">
      <button type="button" role="tab" id={`${id}-tab-replay`} aria-controls={`${id}-replay`} aria-selected="true">
        Replay
      </button>
      <button type="button" role="tab" id={`${id}-tab-text`} aria-controls={`${id}-text`} aria-selected="false">
        Text
      </button>
    </div>
  )
}

/** One picture per display. The page's script updates them to the time of the replay. */
function Displays({ frames }: { readonly frames: Workbench['frames'] }): VNode | null {
  const displays = [...new Set(frames.map(({ display }) => display))].sort((a, b) => a - b)
  if (displays.length === 0) return null
  return (
    <div class="displays">
      {displays.map((display) => (
        <figure class="screen film">
          <figcaption>
            Display{displays.length > 1 ? ` ${display}` : ''} <span class="film-time" />
          </figcaption>
          <img
            data-display={display}
            src={urlOf(frames, display)}
            alt={`Display ${display} at the time of the replay`}
          />
        </figure>
      ))}
    </div>
  )
}

/** The last picture, so that the failure is visible without scripts. */
function urlOf(frames: Workbench['frames'], display: number): string | undefined {
  const frame = frames.findLast((one) => one.display === display)
  return frame && `data:image/png;base64,${frame.png.toString('base64')}`
}

/** Embeds the recording. @returns false without a recording, or if the page has too little space left */
function addReplay(id: string, { replay }: MachineFiles, { end }: Workbench, page: PageContext): boolean {
  if (replay === undefined || !page.budget.take(replay.cast.length)) return false
  // Extends the recording to the last step, because it ends with the last output.
  page.data.set(dataId(id, 'cast'), `${replay.cast}${JSON.stringify([Math.max(end, replay.duration), 'o', ''])}\n`)
  return true
}

/** Embeds the frames. If space is limited, only the last ones, which show the failure. @returns the embedded frames */
function addFilm(id: string, { frames }: Workbench, page: PageContext): Workbench['frames'] {
  const pictures: Record<string, string> = {}
  const shown = frames
    .toReversed()
    .filter(({ file, png }) => {
      if (Object.hasOwn(pictures, file)) return true
      if (!page.budget.take(Math.ceil(png.length / 3) * 4)) return false
      pictures[file] = png.toString('base64')
      return true
    })
    .toReversed()
  // The last picture of each display is part of the page itself.
  for (const file of new Map(shown.map((frame) => [frame.display, frame.file])).values()) delete pictures[file]
  if (Object.keys(pictures).length > 0) {
    const list = shown.map(({ time, display, file }) => ({ time, display, file }))
    page.data.set(dataId(id, 'film'), { frames: list, pictures })
  }
  return shown
}
