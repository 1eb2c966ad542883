/** Film of a machine's displays: their screenshots during a test, without repetitions. */
import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { VM } from '@coldboot/core'
import { messageOf, startTimer, stopTimer } from '@coldboot/core/internal'
import { displaysOf } from './screenshots.ts'

/** Names in the folder of a machine: the frames, and the list of them. */
export const FILM_DIRECTORY = 'film'
export const FILM_FILE = 'film.jsonl'

/** A line of `film.jsonl`. */
export interface FilmFrame {
  /** Seconds since the start of the machine. */
  readonly time: number
  /** Number of the display, from 1. */
  readonly display: number
  /** Name in the folder of frames. */
  readonly file: string
}

/** Pause between two screenshots of a display, milliseconds: at most two frames per second. */
const PAUSE_MS = 500

/** Limits of a film, and its clock. */
export interface FilmOptions {
  /** Folder of the machine. */
  readonly directory: string
  /** Limit of all frames together, bytes. */
  readonly maxBytes: number
  /** Seconds since the start of the machine. */
  readonly time: () => number
  /** Pause between two screenshots, milliseconds. @default 500 */
  readonly pauseMs?: number
  /** Called once if the film ends before its machine. */
  readonly onCut: (why: string) => void
}

/** Records the film of one machine. */
export class Film {
  readonly #options: FilmOptions
  #bytes = 0
  /** Digest of a picture → file name. */
  readonly #files = new Map<string, string>()
  #isStarted = false
  readonly #over = new AbortController()
  #filming: Promise<unknown> = Promise.resolve()

  constructor(options: FilmOptions) {
    this.#options = options
  }

  /** Films the displays of a machine until {@link stop}. Later calls have no effect. */
  start(vm: VM): void {
    const { directory } = this.#options
    if (this.#isStarted || this.#over.signal.aborted) return
    this.#isStarted = true
    const displays = displaysOf(vm)
    mkdirSync(join(directory, FILM_DIRECTORY), { recursive: true, mode: 0o700 })
    const { signal } = this.#over
    const cameras = displays.map((display, index) =>
      this.#watch(async () => display.of(vm).screenshot(), index + 1, signal),
    )
    this.#filming = Promise.all(cameras)
  }

  /** Ends the film. Its files stay. */
  async stop(): Promise<void> {
    this.#over.abort()
    await this.#filming
  }

  /** Ends the film and removes its files. */
  async discard(): Promise<void> {
    await this.stop()
    const { directory } = this.#options
    for (const name of [FILM_DIRECTORY, FILM_FILE]) rmSync(join(directory, name), { recursive: true, force: true })
  }

  async #watch(take: () => Promise<Uint8Array>, display: number, signal: AbortSignal): Promise<void> {
    let last: Uint8Array | undefined
    while (!signal.aborted) {
      const { time } = this.#options
      const begun = time()
      // Screenshots fail while the machine is off, or after its end.
      const png = await take().catch(() => undefined)
      if (png !== undefined && !(last !== undefined && Buffer.from(last).equals(png))) {
        if (!this.#keep(png, { time: begun, display })) return
        last = png
      }
      await pause(this.#options.pauseMs ?? PAUSE_MS, signal)
    }
  }

  /** @returns whether the film continues */
  #keep(png: Uint8Array, frame: Pick<FilmFrame, 'time' | 'display'>): boolean {
    const { directory, maxBytes, onCut } = this.#options
    // Equal pictures share a file, because a blinking cursor alternates between two pictures.
    const digest = createHash('sha1').update(png).digest('base64')
    const known = this.#files.get(digest)
    const file = known ?? `${String(this.#files.size + 1).padStart(6, '0')}.png`
    const line = `${JSON.stringify({ ...frame, file })}\n`
    const bytes = line.length + (known === undefined ? png.length : 0)
    try {
      if (this.#bytes + bytes > maxBytes) throw new Error(`it has the most bytes that it may have, ${maxBytes}`)
      if (known === undefined) writeFileSync(join(directory, FILM_DIRECTORY, file), png, { mode: 0o600 })
      appendFileSync(join(directory, FILM_FILE), line, { mode: 0o600 })
    } catch (error) {
      onCut(`ends at ${frame.time.toFixed(1)} s: ${messageOf(error)}`)
      this.#over.abort()
      return false
    }
    this.#files.set(digest, file)
    this.#bytes += bytes
    return true
  }
}

/** Waits for a time, or until the signal aborts. */
function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  // The signal may abort during a screenshot, and then emits no further event.
  if (signal.aborted) return Promise.resolve()
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = startTimer(resolve, milliseconds)
  const onAbort = (): void => {
    stopTimer(timer)
    resolve()
  }
  signal.addEventListener('abort', onAbort, { once: true })
  return promise.finally(() => signal.removeEventListener('abort', onAbort))
}
