/** First phase: looks at every entry of the directory once, and refuses what FAT cannot hold. */
import { lstatSync, readdirSync, realpathSync, type Stats, statSync } from 'node:fs'
import { basename, join, sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { MkfatfsError, reasonOf } from '../errors.ts'
import type { DirectoryNode, FileNode, Tree, TreeNode } from './tree.ts'

/** Entries looked at before others get their turn on the event loop. A system call each: a few microseconds. */
const ENTRIES_PER_TURN = 1000

/**
 * Finds all that lies below `directory`, which is an absolute path without links.
 * @throws MkfatfsError `UNSUPPORTED_FILE` with all offenders, `NAME_INVALID` for names that are not UTF-8,
 *   `SOURCE_CHANGED`, `READ_FAILED`
 */
export async function scanTree(directory: string, signal: AbortSignal | undefined): Promise<Tree> {
  const scan = new Scan(directory)
  // The list grows while it is walked.
  for (const found of scan.directories) {
    if (scan.isTurnOver()) await setImmediate(undefined, { signal })
    scan.enter(found)
  }
  scan.throwIfRefused()
  return inOrder(scan.root)
}

class Scan {
  readonly root: DirectoryNode
  readonly directories: DirectoryNode[] = []
  readonly #refused: string[] = []
  readonly #notUtf8: string[] = []
  #looked = 0

  constructor(source: string) {
    this.root = this.#directory(
      undefined,
      '',
      '',
      source,
      look(() => lstatSync(source), source),
    )
  }

  isTurnOver(): boolean {
    if (this.#looked < ENTRIES_PER_TURN) return false
    this.#looked = 0
    return true
  }

  enter(parent: DirectoryNode): void {
    const entries = look(() => readdirSync(parent.source, { withFileTypes: true }), parent.path || parent.source)
    this.#looked += entries.length
    const prefix = parent.path === '' ? '' : `${parent.path}/`
    for (const entry of entries) {
      const { name } = entry
      const path = prefix + name
      const source = `${parent.source}${sep}${name}`
      if (name.includes('\ufffd') && !exists(source)) this.#notUtf8.push(`${path} (not UTF-8)`)
      else if (entry.isFile())
        parent.children.push(
          file(
            name,
            path,
            source,
            look(() => lstatSync(source), path),
          ),
        )
      else if (entry.isDirectory()) {
        parent.children.push(
          this.#directory(
            parent,
            name,
            path,
            source,
            look(() => lstatSync(source), path),
          ),
        )
      } else if (entry.isSymbolicLink()) this.#link(parent, name, path, source)
      else this.#refused.push(`${path} (${kindOf(entry)})`)
    }
    parent.children.sort(byName)
  }

  throwIfRefused(): void {
    if (this.#refused.length > 0) {
      const count = this.#refused.length
      throw new MkfatfsError(
        'UNSUPPORTED_FILE',
        `${count} ${count === 1 ? 'entry is' : 'entries are'} neither file nor directory.`,
        {
          offenders: this.#refused,
        },
      )
    }
    if (this.#notUtf8.length > 0) {
      const count = this.#notUtf8.length
      throw new MkfatfsError('NAME_INVALID', `${count} ${count === 1 ? 'name' : 'names'} cannot be stored.`, {
        offenders: this.#notUtf8,
      })
    }
  }

  #directory(
    parent: DirectoryNode | undefined,
    name: string,
    path: string,
    source: string,
    stats: Stats,
  ): DirectoryNode {
    const node: DirectoryNode = { kind: 'directory', parent, name, path, source, modified: stats.mtimeMs, children: [] }
    this.directories.push(node)
    return node
  }

  /** A link to a file inside becomes that file. Another link has no meaning in the image, or would let in what is outside. */
  #link(parent: DirectoryNode, name: string, path: string, source: string): void {
    let target: string
    try {
      target = realpathSync(source)
    } catch (error) {
      this.#refused.push(`${path} (broken link: ${reasonOf(error)})`)
      return
    }
    const stats = look(() => statSync(target), path)
    if (!target.startsWith(join(this.root.source, sep)))
      this.#refused.push(`${path} (link out of the directory: ${target})`)
    else if (stats.isFile()) parent.children.push(file(name, path, target, stats))
    else this.#refused.push(`${path} (link to a ${stats.isDirectory() ? 'directory' : kindOf(stats)})`)
  }
}

function file(name: string, path: string, source: string, stats: Stats): FileNode {
  return { kind: 'file', name, path, source, size: stats.size, modified: stats.mtimeMs }
}

function kindOf(entry: Pick<Stats, 'isSocket' | 'isFIFO' | 'isBlockDevice' | 'isCharacterDevice'>): string {
  if (entry.isSocket()) return 'socket'
  if (entry.isFIFO()) return 'named pipe'
  return entry.isBlockDevice() || entry.isCharacterDevice() ? 'device' : 'of an unknown kind'
}

function byName(a: TreeNode, b: TreeNode): number {
  return a.name < b.name ? -1 : 1
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

function look<T>(call: () => T, path: string): T {
  try {
    return call()
  } catch (error) {
    const isGone = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    if (isGone)
      throw new MkfatfsError('SOURCE_CHANGED', `"${basename(path)}" vanished while the directory was read.`, {
        offenders: [path],
        cause: error,
      })
    throw new MkfatfsError('READ_FAILED', `Could not look at "${path}": ${reasonOf(error)}.`, {
      offenders: [path],
      cause: error,
    })
  }
}

/** Depth first, without recursion: a tree may be deeper than the stack. */
function inOrder(root: DirectoryNode): Tree {
  const directories: DirectoryNode[] = []
  const files: FileNode[] = []
  let bytes = 0
  const pending: DirectoryNode[] = [root]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    directories.push(next)
    for (const child of next.children) {
      if (child.kind === 'directory') continue
      files.push(child)
      bytes += child.size
    }
    for (const child of next.children.toReversed()) if (child.kind === 'directory') pending.push(child)
  }
  return { directories, files, bytes }
}
