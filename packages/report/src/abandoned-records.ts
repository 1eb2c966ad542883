/** Completes what a process left that was killed: the files that are made of others, and `meta.json`. */
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { attempted } from './attempted.ts'
import { readTimeline, writeDerivedFiles } from './derived-files.ts'
import { type MachineMeta, META_FILE, readMeta, writeMeta } from './machine-meta.ts'

const WHY = 'The process that ran the test ended before the test did.'

/**
 * Completes the machines' folders below `root` whose writer is gone. For the end of a run, in a process that outlives the
 * workers. Folders that are complete, or still written to, are left alone.
 *
 * @param root see `artifactRoot`
 * @returns the folders
 */
export function finishAbandoned(root: string, { maxBytes }: { readonly maxBytes: number }): readonly string[] {
  return foldersOf(root).filter((directory) => {
    const meta = readMeta(directory)
    if (meta?.writer === undefined || isAlive(meta.writer)) return false
    return attempted(`What is in ${directory}`, () => finish(directory, meta, maxBytes))
  })
}

function finish(directory: string, abandoned: MachineMeta, maxBytes: number): void {
  const { writer: _, ...meta } = abandoned
  try {
    writeDerivedFiles(directory, meta, { maxBytes })
  } catch {
    // Its log is elsewhere, or gone.
  }
  const duration = Math.round((readTimeline(directory).at(-1)?.time ?? 0) * 1000)
  const files = [...new Set([...readdirSync(directory), META_FILE])]
  writeMeta(directory, { ...meta, duration, files, errors: [WHY] }, true)
}

function foldersOf(root: string): readonly string[] {
  try {
    const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
    return names.filter((name) => name.endsWith(`/${META_FILE}`)).map((name) => dirname(join(root, name)))
  } catch {
    return []
  }
}

function isAlive(pid: number): boolean {
  // A worker thread of this process is gone as well: the run is over.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
