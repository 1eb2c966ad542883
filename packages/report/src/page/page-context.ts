/** What the parts of a page share while it is written: its place, its ids, the data of its players, and the room left. */
import { dirname, relative, sep } from 'node:path'

/** What a player is given, read by the page's script. */
export interface ReplayData {
  readonly cast: string
  readonly markers: readonly (readonly [time: number, label: string])[]
  /** Where it stands at first, seconds. */
  readonly startAt: number
}

/** Bytes that consoles and pictures may take in one page. What has no room is in the files beside it. */
const ROOM = 24 * 1024 * 1024
/** Rows of all timelines together: a browser takes a second to lay them out. */
const ROWS = 10_000

/** One page. */
export class PageContext {
  /** The project's folder. */
  readonly root: string
  readonly budget: Budget = new Budget(ROOM)
  readonly rows: Budget = new Budget(ROWS)
  /** What the script reads, by the id of its element. */
  readonly data: Map<string, ReplayData> = new Map()
  readonly #directory: string
  #ids = 0

  /** @param path the page's own, absolute */
  constructor(root: string, path: string) {
    this.root = root
    this.#directory = dirname(path)
  }

  nextId(name: string): string {
    return `${name}-${++this.#ids}`
  }

  /** A link to a file or folder, relative to the page, so that both can be moved together. Never another scheme. */
  href(path: string): string {
    const parts = relative(this.#directory, path).split(sep).map(encodeURIComponent)
    return `./${parts.join('/')}`
  }
}

/** Room that is given away, first come, first served. */
export class Budget {
  #left: number

  constructor(amount: number) {
    this.#left = amount
  }

  /** @returns whether there was room */
  take(amount: number): boolean {
    if (amount > this.#left) return false
    this.#left -= amount
    return true
  }

  /** As much as is wanted and left, but for the least that there always is. */
  grant(wanted: number, least: number): number {
    const granted = Math.min(wanted, Math.max(least, this.#left))
    this.#left = Math.max(0, this.#left - granted)
    return granted
  }
}

/** The id of the element with a player's data. */
export function dataId(replay: string): string {
  return `${replay}-data`
}
