/** Script of the page: creates players when they scroll into view, and handles buttons and links into folded parts. */
import type * as Asciinema from 'asciinema-player'

/** Data of a player, embedded in the page. */
interface ReplayData {
  readonly cast: string
  readonly markers: [time: number, label: string][]
  readonly startAt: number
}

const players = new Map<string, Asciinema.Player>()

/** The player of an element, created on demand because a page may have a hundred of them. */
function playerOf(element: HTMLElement): Asciinema.Player | undefined {
  const known = players.get(element.id)
  const player: typeof Asciinema | undefined = Reflect.get(globalThis, 'AsciinemaPlayer')
  const json = document.getElementById(`${element.id}-data`)?.textContent
  if (known || !player || !json) return known
  const { cast, markers, startAt }: ReplayData = JSON.parse(json)
  const made = player.create({ data: cast }, element, {
    preload: true,
    controls: true,
    markers,
    fit: 'width',
    theme: 'asciinema',
    poster: `npt:${startAt}`,
    terminalFontFamily: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace',
  })
  players.set(element.id, made)
  // The player handles keys only if focused, but cannot be focused by keyboard without this.
  element.querySelector('.ap-wrapper')?.setAttribute('tabindex', '0')
  void made.seek(startAt)
  playFilm(element.id, made, startAt)
  return made
}

/** A film, embedded in the page. */
interface FilmData {
  readonly frames: readonly { readonly time: number; readonly display: number; readonly file: string }[]
  /** File → data URL. */
  readonly pictures: Readonly<Record<string, string>>
}

/** Time between two looks at the player of a film, milliseconds. */
const FILM_MS = 100

/** Shows the frames of the displays at the time of the player, so that its bar moves both. */
function playFilm(id: string, player: Asciinema.Player, startAt: number): void {
  const json = document.getElementById(`${id}-data-film`)?.textContent
  const film = document.querySelector(`[data-film="${id}"]`)
  if (!json || !film) return
  const { frames, pictures }: FilmData = JSON.parse(json)
  const show = (time: number): void => {
    for (const image of film.querySelectorAll('img')) {
      const display = Number(image.dataset['display'])
      const ofDisplay = frames.filter((frame) => frame.display === display)
      const frame = ofDisplay.findLast((one) => one.time <= time) ?? ofDisplay[0]
      const url = frame && pictures[frame.file]
      if (url !== undefined && image.src !== url) image.src = url
      const label = image.parentElement?.querySelector('.film-time')
      if (label) label.textContent = `${(frame?.time ?? 0).toFixed(1)} s`
    }
  }
  show(startAt)
  setInterval(() => {
    if (!document.hidden) void Promise.resolve(player.getCurrentTime()).then((time) => show(Number(time)))
  }, FILM_MS)
}

const visible = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) {
      if (!isIntersecting || !(target instanceof HTMLElement)) continue
      visible.unobserve(target)
      playerOf(target)
    }
  },
  { rootMargin: '300px' },
)
for (const element of document.querySelectorAll('.replay')) visible.observe(element)

document.addEventListener('click', (event) => {
  const button = event.target instanceof Element ? event.target.closest('button') : null
  const { replay, time, copy } = button?.dataset ?? {}
  if (replay !== undefined && time !== undefined) void jump(replay, Number(time))
  if (copy !== undefined && button) void copyText(copy, button)
})

async function jump(id: string, time: number): Promise<void> {
  const element = document.getElementById(id)
  if (!element) return
  element.scrollIntoView({ block: 'nearest', behavior: 'instant' })
  await playerOf(element)?.pause()
  await playerOf(element)?.seek(time)
}

async function copyText(id: string, button: HTMLButtonElement): Promise<void> {
  const element = document.getElementById(id)
  if (!element) return
  const label = button.textContent
  try {
    await navigator.clipboard.writeText(element.textContent ?? '')
    button.textContent = 'Copied'
    setTimeout(() => {
      button.textContent = label
    }, 2_000)
  } catch {
    // Clipboard access may be denied, for example for a file. Select the text instead.
    document.getSelection()?.selectAllChildren(element)
  }
}

/** Unfolds the test that the URL links to. */
function unfold(): void {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null
  const folded = target?.querySelector('details')
  if (!folded) return
  folded.open = true
  target?.scrollIntoView()
}

addEventListener('hashchange', unfold)
unfold()
