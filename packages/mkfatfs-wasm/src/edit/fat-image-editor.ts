/** Editor of an open image. FatFs makes the changes, and frees the space of removed or replaced entries. */
import { MkfatfsError } from '../errors.ts'
import { fromFatTime, toFatTime } from '../fat-time.ts'
import { foldCase } from '../names/case-fold.ts'
import { whyInvalid } from '../names/long-name.ts'
import { FatImage, type OpenedVolume, READ_ONLY } from '../read/fat-image.ts'
import { childrenOf, findEntry, type ListedEntry, openName } from '../read/list-tree.ts'
import type { MountedVolume, VolumeEntry } from '../read/mounted-volume.ts'
import { type FileContents, readContents } from '../tree/file-contents.ts'

/** Modification time of the next entries, milliseconds since 1970. */
export interface EditClock {
  now: number
}

/** Settings of the editor. */
export interface EditorSettings {
  readonly clock: EditClock
  /** Default modification time of an entry. */
  readonly currentTime: () => number
  readonly allowDeviceNames: boolean
}

/** A path in the image, with its existing entry if there is one. */
interface Place {
  /** The path that the caller passed, without slashes at its ends. */
  readonly path: string
  /** Path of the directory, as FatFs opens it; empty for the root. */
  readonly parent: string
  readonly name: string
  readonly entry: VolumeEntry | undefined
}

/** An image that is open for changes. */
export class FatImageEditor extends FatImage {
  readonly #volume: MountedVolume
  readonly #settings: EditorSettings
  #isOpen = true

  /** @internal */
  constructor(opened: OpenedVolume, settings: EditorSettings) {
    super(opened)
    this.#volume = opened.volume
    this.#settings = settings
  }

  /**
   * Adds a file, or replaces its contents. Creates missing directories.
   * @param options.modified a `Date` or milliseconds since 1970. @default now, at most SOURCE_DATE_EPOCH
   * @throws MkfatfsError `NAME_INVALID`, `PATH_CONFLICT`, `ENTRY_READ_ONLY`, `FILE_TOO_LARGE`, `IMAGE_FULL`
   */
  async writeFile(
    path: string,
    contents: FileContents,
    options: { readonly modified?: Date | number } = {},
  ): Promise<void> {
    const bytes = await readContents(contents)
    if (bytes === undefined) {
      throw new MkfatfsError(
        'INVALID_OPTION',
        `The contents of "${path}" are neither text, bytes nor a stream with a size.`,
      )
    }
    this.#setTime(options.modified)
    const place = this.#placeFor(path)
    if (place.entry?.isDirectory) throw conflict(path, 'is a directory')
    if (place.entry) checkWritable(place.path, place.entry)
    const target = openPathOf(place)
    if (this.#volume.writeFile(target, bytes)) return
    this.#volume.remove(target)
    throw new MkfatfsError('IMAGE_FULL', `The image has no space for "${path}".`, { offenders: [path] })
  }

  /**
   * Creates a directory and its parents. Keeps an existing directory unchanged.
   * @throws MkfatfsError `NAME_INVALID`, `PATH_CONFLICT`, `IMAGE_FULL`
   */
  async makeDirectory(path: string, options: { readonly modified?: Date | number } = {}): Promise<void> {
    this.#setTime(options.modified)
    const place = this.#placeFor(path)
    if (place.entry?.isDirectory) return
    if (place.entry) throw conflict(path, 'is a file')
    this.#volume.makeDirectory(openPathOf(place))
  }

  /**
   * Removes a file, or a directory with all its contents.
   * @throws MkfatfsError `NOT_IN_IMAGE`, `ENTRY_READ_ONLY`
   */
  async remove(path: string): Promise<void> {
    this.#setTime(undefined)
    const place = this.#existing(path)
    const found: (Pick<ListedEntry, 'path' | 'openPath'> & VolumeEntry)[] = [
      { ...place.entry, path: place.path, openPath: openPathOf(place) },
    ]
    // The list grows during the loop: parents before children.
    for (const entry of found) if (entry.isDirectory) found.push(...childrenOf(this.#volume, entry))
    for (const entry of found) checkWritable(entry.path, entry)
    for (const { openPath } of found.toReversed()) this.#volume.remove(openPath)
  }

  /**
   * Renames or moves a file or directory. Creates missing directories of `to`. The names may differ only in case.
   * @throws MkfatfsError `NOT_IN_IMAGE`, `NAME_INVALID`, `PATH_CONFLICT`, `IMAGE_FULL`
   */
  async rename(from: string, to: string): Promise<void> {
    this.#setTime(undefined)
    const source = this.#existing(from)
    const [old, renamed] = [source.path, partsOf(to).join('/')].map(foldCase)
    if (renamed?.startsWith(`${old}/`)) throw conflict(to, 'lies in the directory that is moved')
    const target = this.#placeFor(to)
    if (target.entry && old !== renamed) throw conflict(to, 'exists')
    this.#volume.rename(openPathOf(source), `${target.parent}/${target.name}`)
  }

  override async close(): Promise<void> {
    this.#isOpen = false
    await super.close()
  }

  #setTime(modified: Date | number | undefined): void {
    if (!this.#isOpen) throw new MkfatfsError('INVALID_OPTION', 'The image is closed: its changes are complete.')
    const time = modified === undefined ? this.#settings.currentTime() : Number(modified)
    if (!Number.isFinite(time)) {
      throw new MkfatfsError(
        'INVALID_OPTION',
        `\`modified\` is ${String(modified)}, not a Date or milliseconds since 1970.`,
      )
    }
    // FatFs does not check the range, so this is the nearest time that FAT can store.
    this.#settings.clock.now = fromFatTime(toFatTime(time)) ?? 0
  }

  #existing(path: string): Place & { readonly entry: VolumeEntry } {
    const missing = () => new MkfatfsError('NOT_IN_IMAGE', `"${path}" is not in the image.`, { offenders: [path] })
    const parts = partsOf(path)
    let parent = ''
    for (const [index, name] of parts.entries()) {
      const entry = findEntry(this.#volume, parent || '/', name)
      if (entry === undefined) throw missing()
      if (index === parts.length - 1) return { path: parts.join('/'), parent, name, entry }
      parent += `/${openName(entry)}`
    }
    throw missing()
  }

  /** Checks the names of a path, and creates missing directories. */
  #placeFor(path: string): Place {
    const parts = partsOf(path)
    const invalid = parts.flatMap((part) => {
      const reason =
        part === '' || part === '.' || part === '..' ? `"${part}" in a path` : whyInvalid(part, this.#settings)
      return reason === undefined ? [] : [`${path} (${reason})`]
    })
    const offenders = [...new Set(invalid)]
    if (offenders.length > 0) throw new MkfatfsError('NAME_INVALID', '1 name cannot be stored.', { offenders })
    let parent = ''
    for (const name of parts.slice(0, -1)) {
      const entry = findEntry(this.#volume, parent || '/', name)
      if (entry === undefined) this.#volume.makeDirectory(`${parent}/${name}`)
      else if (!entry.isDirectory) throw conflict(path, `needs the directory "${name}", which is a file`)
      parent += `/${entry === undefined ? name : openName(entry)}`
    }
    const name = parts.at(-1) ?? ''
    return { path: parts.join('/'), parent, name, entry: findEntry(this.#volume, parent || '/', name) }
  }
}

function partsOf(path: string): string[] {
  return path.replace(/^(?:\.?\/)+|\/$/g, '').split('/')
}

function openPathOf({ parent, name, entry }: Place): string {
  return `${parent}/${entry === undefined ? name : openName(entry)}`
}

function checkWritable(path: string, { attributes }: VolumeEntry): void {
  if ((attributes & READ_ONLY) === 0) return
  throw new MkfatfsError('ENTRY_READ_ONLY', `"${path}" in the image is read-only.`, { offenders: [path] })
}

function conflict(path: string, why: string): MkfatfsError {
  return new MkfatfsError('PATH_CONFLICT', `"${path}" ${why}.`, { offenders: [path] })
}
