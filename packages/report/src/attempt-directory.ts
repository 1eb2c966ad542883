/**
 * Paths of the folders with the files of a test's machines: `.vitest/coldboot/<file>/<test>/<machine>/` below the project's
 * root, with `.vitest` replaced for other test runners. A test has the same folder in each run, so that a run replaces the
 * files of the previous one. Attempts, and tests with the same name, have different folders.
 */

import { closeSync, mkdirSync, openSync, readdirSync, rmdirSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { codeOf, nodeCrypto } from '@coldboot/core/internal'

/** Longest folder name, characters. At up to 4 bytes each, it fits into the 255 bytes of common file systems. */
const LONGEST = 60

/** A test attempt. Determines its folder. */
export interface Attempt {
  /** Root folder of the project. */
  readonly root: string
  /** Folder of the test runner below the root, such as `.vitest`. */
  readonly home: string
  /** Test file, relative to the root. */
  readonly file: string
  /** Name of the runner's project, if there are several. */
  readonly project?: string | undefined
  /** Names of the groups and the test. */
  readonly names: readonly string[]
  /** Number of tests with the same {@link titleKey} before it in the file. */
  readonly duplicateIndex: number
  readonly repeat: number
  readonly retry: number
}

/** The folder of an attempt. */
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

/**
 * Names of the groups and a test, as one text. Two tests of a file with different keys have different folders, also on a file
 * system that ignores case.
 */
export function titleKey(names: readonly string[]): string {
  return names.join('\0').toLowerCase()
}

/** The folder of all attempts of a project. */
export function artifactRoot(attempt: Attempt): string {
  return join(attempt.root, attempt.home, 'coldboot')
}

/**
 * Folder name for a file or a project: readable and unique. A name that is changed or shortened gets a hash of the original.
 */
export function folderName(name: string): string {
  const plain = readable(name)
  return plain === name ? plain : withHash(plain, name)
}

/** Folder name for a machine. Differs for names that only differ in case, because a file system may ignore case. */
export function machineFolder(name: string): string {
  return name === name.toLowerCase() ? folderName(name) : withHash(readable(name), name)
}

/** The machine folders of an attempt; empty if it has none. @param directory see {@link attemptDirectory} */
export function machineFolders(directory: string): readonly string[] {
  try {
    const entries = readdirSync(directory, { withFileTypes: true })
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(directory, name))
  } catch {
    return []
  }
}

/** Folder name for a test, such as `boots-again` or `describe--boots-again`. Adds a hash if it would not be unique. */
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
  return `${short}-${nodeCrypto().createHash('sha1').update(whole).digest('hex').slice(0, 6)}`
}

/**
 * Creates an empty file and its folders. Retries, because another worker may remove the same folders while they are empty.
 * @returns its path
 */
export function makeFile(path: string): string {
  for (let attempt = 1; ; attempt++) {
    try {
      mkdirSync(dirname(path), { recursive: true })
      closeSync(openSync(path, 'w'))
      return path
    } catch (error) {
      const raced = codeOf(error) === 'ENOENT'
      if (!raced || attempt === 10) throw error
    }
  }
}

/** Removes a folder with its content, then empty parent folders up to that of the test runner. */
export function removeDirectory(directory: string, artifacts: string): void {
  rmSync(directory, { recursive: true, force: true })
  const last = dirname(artifacts)
  for (let parent = dirname(directory); !relative(last, parent).startsWith('..'); parent = dirname(parent)) {
    try {
      rmdirSync(parent)
    } catch {
      // The folder is not empty, or another worker removed it.
      return
    }
  }
}
