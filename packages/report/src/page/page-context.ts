/** Shared state while a page is written: its path, element ids, data of the players, and remaining space. */
import { dirname, relative, sep } from 'node:path'

/** Film data of a machine for the page's script. */
export interface FilmData {
  /** Oldest first. `file` is a key of `pictures`, or the display's last picture, which is already an image in the page. */
  readonly frames: readonly { readonly time: number; readonly display: number; readonly file: string }[]
  /** PNG files, base64. */
  readonly pictures: Readonly<Record<string, string>>
}

/** Maximum size of all embedded consoles and pictures, bytes. The files contain the rest. */
const EMBEDDED_BYTES = 24 * 1024 * 1024
/** Maximum number of rows of all timelines: a browser needs a second for their layout. */
const ROWS = 10_000

/** One page. */
export class PageContext {
  /** The project's folder. */
  readonly root: string
  readonly budget: Budget = new Budget(EMBEDDED_BYTES)
  readonly rows: Budget = new Budget(ROWS)
  /** Link of the editor, see `editorLink`; undefined for none. */
  readonly editor: string | undefined
  /** Data for the script, recordings and films, by the id of its element. */
  readonly data: Map<string, string | FilmData> = new Map()
  readonly #directory: string
  #ids = 0

  /** @param path absolute path of the page */
  constructor(root: string, path: string, editor?: string) {
    this.root = root
    this.editor = editor
    this.#directory = dirname(path)
  }

  nextId(name: string): string {
    return `${name}-${++this.#ids}`
  }

  /** A link to a file or folder, relative to the page so that both can be moved together. */
  href(path: string): string {
    const parts = relative(this.#directory, path).split(sep).map(encodeURIComponent)
    return `./${parts.join('/')}`
  }
}

/** A limited amount, granted in the order of requests. */
export class Budget {
  #left: number

  constructor(amount: number) {
    this.#left = amount
  }

  /** Takes an amount. @returns false, without taking it, if too little is left */
  take(amount: number): boolean {
    if (amount > this.#left) return false
    this.#left -= amount
    return true
  }

  /** Grants up to `wanted`, but at least `least` even if nothing is left. */
  grant(wanted: number, least: number): number {
    const granted = Math.min(wanted, Math.max(least, this.#left))
    this.#left = Math.max(0, this.#left - granted)
    return granted
  }
}

/** Id of the element with the recording or the film of a workbench. */
export function dataId(workbench: string, kind: 'cast' | 'film'): string {
  return `${workbench}-${kind}`
}
