/** Completes the files of machines whose process was killed: derived files and `meta.json`. */

import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { isAlive, thisProcess } from '@coldboot/core/internal'
import { attempted } from './attempted.ts'
import { readTimeline, writeDerivedFiles } from './derived-files.ts'
import { type MachineMeta, META_FILE, readMeta, writeMeta } from './machine-meta.ts'

const WHY = 'The process that ran the test ended before the test did.'

/**
 * Completes the machine folders below `root` whose writer has ended. Call it at the end of a run, in a process that
 * outlives the workers. Skips folders that are complete or still being written.
 *
 * @param root see `artifactRoot`
 * @returns the completed folders
 */
export function finishAbandoned(root: string, { maxBytes }: { readonly maxBytes: number }): readonly string[] {
  return foldersOf(root).filter((directory) => {
    const meta = readMeta(directory)
    if (typeof meta?.writer !== 'string' || !hasEnded(meta.writer)) return false
    return attempted(`The files in ${directory}`, () => finish(directory, meta, maxBytes))
  })
}

function finish(directory: string, abandoned: MachineMeta, maxBytes: number): void {
  const { writer: _, ...meta } = abandoned
  try {
    writeDerivedFiles(directory, meta, { maxBytes })
  } catch {
    // The log is missing or in another folder.
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

function hasEnded(writer: string): boolean {
  // At the end of the run, worker threads of this process have ended too.
  return writer === thisProcess() || !isAlive(writer)
}
