/** Reads the tree of a directory of the host. Refuses entries that FAT cannot store. */
import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { realpath, stat } from 'node:fs/promises'
import { basename, join, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { MkfatfsError, reasonOf } from '../errors.ts'
import { byName, type DirectoryNode, type FileNode, type Tree, toTree } from '../tree/tree.ts'
import { HostFile } from './host-file.ts'

/** Number of entries after which the event loop gets a turn. Each needs a system call of a few microseconds. */
const ENTRIES_PER_TURN = 1000

/** Resolves the links in the path of `directory`. @throws MkfatfsError `SOURCE_NOT_A_DIRECTORY` */
export async function resolveSource(directory: string): Promise<string> {
  const wrong = (why: string, cause?: unknown) =>
    new MkfatfsError('SOURCE_NOT_A_DIRECTORY', `Cannot pack "${directory}": ${why}.`, { cause })
  try {
    const source = await realpath(directory)
    if ((await stat(source)).isDirectory()) return source
  } catch (error) {
    throw wrong(reasonOf(error), error)
  }
  throw wrong('it is not a directory')
}

/**
 * Finds all entries below `directory`, an absolute path with links resolved.
 * @throws MkfatfsError `UNSUPPORTED_FILE` with all offenders, `NAME_INVALID` for names that are not UTF-8,
 *   `SOURCE_CHANGED`, `READ_FAILED`
 */
export async function scanDirectory(directory: string, signal: AbortSignal | undefined): Promise<Tree> {
  const scan = new Scan(directory)
  // The list grows during the loop.
  for (const found of scan.directories) {
    if (scan.isTurnOver()) await setImmediate(undefined, { signal })
    scan.enter(found)
  }
  scan.throwIfRefused()
  return toTree(scan.root)
}

interface HostDirectory extends DirectoryNode {
  readonly source: string
}

class Scan {
  readonly root: HostDirectory
  readonly directories: HostDirectory[] = []
  readonly #refused: string[] = []
  readonly #notUtf8: string[] = []
  #looked = 0

  constructor(source: string) {
    const { mtimeMs } = inspect(() => lstatSync(source), source)
    this.root = this.#directory(undefined, '', '', source, mtimeMs)
  }

  isTurnOver(): boolean {
    if (this.#looked < ENTRIES_PER_TURN) return false
    this.#looked = 0
    return true
  }

  enter(parent: HostDirectory): void {
    const names = inspect(() => readdirSync(parent.source), parent.path || parent.source)
    this.#looked += names.length
    const prefix = parent.path === '' ? '' : `${parent.path}/`
    for (const name of names) {
      const path = prefix + name
      const source = `${parent.source}${sep}${name}`
      if (name.includes('\ufffd') && !exists(source)) {
        this.#notUtf8.push(`${path} (not UTF-8)`)
        continue
      }
      const stats = inspect(() => lstatSync(source), path)
      if (stats.isFile()) parent.children.push(file(name, path, source, stats))
      else if (stats.isDirectory()) {
        parent.children.push(this.#directory(parent, name, path, source, stats.mtimeMs))
      } else if (stats.isSymbolicLink()) this.#link(parent, name, path, source)
      else this.#refused.push(`${path} (${kindOf(stats)})`)
    }
    parent.children.sort(byName)
  }

  throwIfRefused(): void {
    if (this.#refused.length > 0) {
      const count = this.#refused.length === 1 ? '1 entry is' : `${this.#refused.length} entries are`
      const offenders = this.#refused
      throw new MkfatfsError('UNSUPPORTED_FILE', `${count} neither file nor directory.`, { offenders })
    }
    if (this.#notUtf8.length > 0) {
      const count = this.#notUtf8.length === 1 ? '1 name' : `${this.#notUtf8.length} names`
      throw new MkfatfsError('NAME_INVALID', `${count} cannot be stored.`, { offenders: this.#notUtf8 })
    }
  }

  #directory(
    parent: DirectoryNode | undefined,
    name: string,
    path: string,
    source: string,
    modified: number,
  ): HostDirectory {
    const node: HostDirectory = { kind: 'directory', parent, name, path, source, modified, children: [] }
    this.directories.push(node)
    return node
  }

  /** Replaces a link to a file in the directory by that file. Refuses other links, because FAT has no links. */
  #link(parent: DirectoryNode, name: string, path: string, source: string): void {
    let target: string
    try {
      target = realpathSync(source)
    } catch (error) {
      this.#refused.push(`${path} (broken link: ${reasonOf(error)})`)
      return
    }
    const stats = inspect(() => statSync(target), path)
    if (!target.startsWith(join(this.root.source, sep))) {
      this.#refused.push(`${path} (link out of the directory: ${target})`)
    } else if (stats.isFile()) parent.children.push(file(name, path, target, stats))
    else this.#refused.push(`${path} (link to a ${stats.isDirectory() ? 'directory' : kindOf(stats)})`)
  }
}

function file(name: string, path: string, source: string, stats: Stats): FileNode {
  return { kind: 'file', name, path, source: new HostFile(source), size: stats.size, modified: stats.mtimeMs }
}

function kindOf(entry: Pick<Stats, 'isSocket' | 'isFIFO' | 'isBlockDevice' | 'isCharacterDevice'>): string {
  if (entry.isSocket()) return 'socket'
  if (entry.isFIFO()) return 'named pipe'
  return entry.isBlockDevice() || entry.isCharacterDevice() ? 'device' : 'of an unknown kind'
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function inspect<T>(call: () => T, path: string): T {
  try {
    return call()
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    throw new MkfatfsError(
      isGone ? 'SOURCE_CHANGED' : 'READ_FAILED',
      isGone
        ? `"${basename(path)}" vanished while the directory was read.`
        : `Could not inspect "${path}": ${reasonOf(error)}.`,
      { offenders: [path], cause: error },
    )
  }
}
