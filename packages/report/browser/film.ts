/** Shows the frames that a machine's displays had at a time. */
import { all, dataOf, first } from './elements.ts'

interface Frame {
  readonly time: number
  readonly file: string
}

/** The films of the displays in an element. */
export class Film {
  readonly #displays: readonly { readonly image: HTMLImageElement; readonly frames: readonly Frame[] }[]
  readonly #urls = new Map<string, string>()

  /** @param id id of the workbench; the element with the data has this id with the suffix `-film` */
  constructor(id: string, element: HTMLElement) {
    const film = dataOf<FilmData>(`${id}-film`)
    for (const [file, png] of Object.entries(film?.pictures ?? {})) this.#urls.set(file, `data:image/png;base64,${png}`)
    this.#displays = all('.film img', element)
      .filter((image) => image instanceof HTMLImageElement)
      .map((image) => {
        const frames = film?.frames.filter(({ display }) => display === Number(image.dataset['display'])) ?? []
        const last = frames.at(-1)
        // The last picture is part of the page.
        if (last) this.#urls.set(last.file, image.src)
        return { image, frames }
      })
  }

  show(time: number): void {
    for (const { image, frames } of this.#displays) {
      const frame = frames.findLast((one) => one.time <= time) ?? frames[0]
      const url = frame && this.#urls.get(frame.file)
      if (url !== undefined && image.src !== url) image.src = url
      const label = first('.film-time', image.parentElement ?? image)
      if (label && frame) label.textContent = `at ${frame.time.toFixed(1)} s`
    }
  }
}

/** See `FilmData` of the code that writes the page. */
interface FilmData {
  readonly frames: readonly (Frame & { readonly display: number })[]
  readonly pictures: Readonly<Record<string, string>>
}
