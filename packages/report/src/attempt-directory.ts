/**
 * Where the files of a test's machines are: `.vitest/coldboot/<file>/<test>/<machine>/` below the project's root, or the
 * same below another runner's own folder. The same test always has the same place, so that a new run replaces the files of
 * the one before; attempts and tests of the same name are kept apart.
 */
import { createHash } from 'node:crypto'
import { closeSync, mkdirSync, openSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'

/** Longest name of a folder, characters: well below the 255 bytes of common file systems, whatever the alphabet. */
const LONGEST = 60

/** What an attempt's folder is made from. */
export interface Attempt {
  /** The project's root. */
  readonly root: string
  /** The runner's own folder below the root, as `.vitest`. */
  readonly home: string
  /** The test's file, relative to the root. */
  readonly file: string
  /** Name of the runner's project, when there are several. */
  readonly project?: string | undefined
  /** Names of the groups and the test. */
  readonly names: readonly string[]
  /** How many tests of the same names come before it in the file. */
  readonly duplicateIndex: number
  readonly repeat: number
  readonly retry: number
}

/** The folder of an attempt. Pure. */
export function attemptDirectory(attempt: Attempt): string {
  const file = attempt.file.split('/').map(folderName)
  if (attempt.project) file.push(`${file.pop()}@${folderName(attempt.project)}`)
  const suffixes = [
    attempt.duplicateIndex > 0 ? `.test-${attempt.duplicateIndex + 1}` : '',
    attempt.repeat > 0 ? `.repeat-${attempt.repeat}` : '',
    attempt.retry > 0 ? `.retry-${attempt.retry}` : '',
  ]
  return join(artifactRoot(attempt), ...file, titleFolder(attempt.names) + suffixes.join(''))
}

/** The folder of all attempts of a project. */
export function artifactRoot(attempt: Attempt): string {
  return join(attempt.root, attempt.home, 'coldboot')
}

/**
 * One folder's name for a file or a machine: readable, and different for different names. What had to be changed or cut
 * off is told apart by a hash of the whole.
 */
export function folderName(name: string): string {
  const plain = readable(name)
  return plain === name ? plain : withHash(plain, name)
}

/** One folder's name for a test: `boots-again`, or `describe--boots-again`; a hash where that would not be unique. */
export function titleFolder(names: readonly string[]): string {
  const plain = names.map((name) => readable(name.replaceAll(' ', '-'))).join('--')
  const reversible = names.every((name) => !/-|^ | $| {2}/.test(name) && readable(name.replaceAll(' ', '')) !== '')
  const unchanged = plain === names.join('--').replaceAll(' ', '-')
  return reversible && unchanged && plain.length <= LONGEST ? plain : withHash(plain, names.join('\0'))
}

function readable(name: string): string {
  const plain = name
    .normalize('NFC')
    .replace(/[^\p{L}\p{M}\p{N}._@+=-]+/gu, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
  return [...plain].slice(0, LONGEST).join('')
}

function withHash(plain: string, whole: string): string {
  const short = [...plain].slice(0, LONGEST).join('') || 'unnamed'
  return `${short}-${createHash('sha1').update(whole).digest('hex').slice(0, 6)}`
}

/**
 * Makes an empty file with its folders. Another worker may be removing the same folders because they were empty.
 * @returns its path
 */
export function makeFile(path: string): string {
  for (let attempt = 1; ; attempt++) {
    try {
      mkdirSync(dirname(path), { recursive: true })
      closeSync(openSync(path, 'w'))
      return path
    } catch (error) {
      const raced = error instanceof Error && 'code' in error && error.code === 'ENOENT'
      if (!raced || attempt === 10) throw error
    }
  }
}

/** Removes a folder with its content, then the folders above that are empty, up to the runner's own. */
export function removeDirectory(directory: string, artifacts: string): void {
  rmSync(directory, { recursive: true, force: true })
  const last = dirname(artifacts)
  for (let parent = dirname(directory); !relative(last, parent).startsWith('..'); parent = dirname(parent)) {
    try {
      rmdirSync(parent)
    } catch {
      // Somebody else's files are in it, or somebody else removed it.
      return
    }
  }
}
