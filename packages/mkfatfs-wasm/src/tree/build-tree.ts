/** Builds a tree from paths and contents in memory. */
import { MkfatfsError } from '../errors.ts'
import { type FileContents, resolveContents } from './file-contents.ts'
import { byName, type DirectoryNode, type Tree, toTree } from './tree.ts'

/** A file or directory to store. */
export interface FatFile {
  /** From the root, with forward slashes; parents are created. A path that ends with a slash is a directory. */
  readonly path: string
  /** @default an empty file */
  readonly contents?: FileContents
  /**
   * A `Date` or milliseconds since 1970.
   * @default `lastModified` of a `File`, else 1980-01-01, the first day that FAT can store
   */
  readonly modified?: Date | number
}

/** Files by their path, or entries in any order. */
export type FatFiles =
  | ReadonlyMap<string, FileContents>
  | Readonly<Record<string, FileContents>>
  | Iterable<FatFile>
  | AsyncIterable<FatFile>

const FIRST_TIME = Date.UTC(1980, 0, 1)

/**
 * @throws MkfatfsError `INVALID_OPTION` for an invalid entry, `NAME_INVALID` for a path that leads out of the root
 */
export async function buildTree(files: FatFiles, signal: AbortSignal | undefined): Promise<Tree> {
  const builder = new Builder()
  for await (const file of entriesOf(files)) {
    signal?.throwIfAborted()
    builder.add(file)
  }
  return builder.finish()
}

function entriesOf(files: FatFiles): Iterable<FatFile> | AsyncIterable<FatFile> {
  if (files instanceof Map) return [...files].map(([path, contents]) => ({ path, contents }))
  if (typeof files === 'object' && files !== null) {
    if (Symbol.asyncIterator in files || Symbol.iterator in files) return files as Iterable<FatFile>
    return Object.entries(files as Record<string, FileContents>).map(([path, contents]) => ({ path, contents }))
  }
  throw invalid('`files` is not a Map, object or iterable of files')
}

interface MutableDirectory extends DirectoryNode {
  modified: number
}

class Builder {
  readonly #root: MutableDirectory = {
    kind: 'directory',
    parent: undefined,
    name: '',
    path: '',
    modified: FIRST_TIME,
    children: [],
  }
  readonly #directories = new Map<string, MutableDirectory>([['', this.#root]])

  add(file: FatFile): void {
    if (typeof file !== 'object' || file === null || typeof file.path !== 'string') {
      throw invalid('An entry of `files` has no `path`')
    }
    const { contents } = file
    const isDirectory = file.path.endsWith('/')
    const parts = file.path.replace(/^(?:\.?\/)+/, '').split('/')
    const name = isDirectory ? '' : (parts.at(-1) ?? '')
    const parent = this.#directory(parts.slice(0, -1), file.path)
    const modified = timeOf(file)
    if (isDirectory) {
      if (contents !== undefined && contents !== '') throw invalid(`"${file.path}" is a directory, but has contents`)
      if (modified !== undefined) parent.modified = modified
      return
    }
    checkPart(name, file.path)
    const resolved = resolveContents(contents ?? '')
    if (resolved === undefined) {
      throw invalid(`The contents of "${file.path}" are neither text, bytes nor a stream with a size`)
    }
    const path = parent.path === '' ? name : `${parent.path}/${name}`
    parent.children.push({ kind: 'file', name, path, ...resolved, modified: modified ?? FIRST_TIME })
  }

  finish(): Tree {
    for (const { children } of this.#directories.values()) children.sort(byName)
    return toTree(this.#root)
  }

  #directory(parts: readonly string[], source: string): MutableDirectory {
    let directory = this.#root
    for (const name of parts) {
      checkPart(name, source)
      const path = directory.path === '' ? name : `${directory.path}/${name}`
      let next = this.#directories.get(path)
      if (next === undefined) {
        next = { kind: 'directory', parent: directory, name, path, modified: FIRST_TIME, children: [] }
        directory.children.push(next)
        this.#directories.set(path, next)
      }
      directory = next
    }
    return directory
  }
}

function checkPart(part: string, path: string): void {
  if (part !== '' && part !== '.' && part !== '..') return
  const reason = part === '' ? 'empty name' : `"${part}" in a path`
  throw new MkfatfsError('NAME_INVALID', '1 name cannot be stored.', { offenders: [`${path} (${reason})`] })
}

function timeOf({ path, modified, contents }: FatFile): number | undefined {
  const fallback = (contents as { readonly lastModified?: unknown } | undefined)?.lastModified
  const given = modified ?? (typeof fallback === 'number' ? fallback : undefined)
  if (given === undefined) return undefined
  const time = Number(given)
  if (Number.isFinite(time)) return time
  throw invalid(`\`modified\` of "${path}" is ${String(given)}, not a Date or milliseconds since 1970`)
}

function invalid(why: string): MkfatfsError {
  return new MkfatfsError('INVALID_OPTION', `${why}.`)
}
