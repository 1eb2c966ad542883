// @ts-check
/** Finds faults in the files of a packed package, such as leftovers of the build, and source maps without sources. */
import { posix } from 'node:path'

/** Files that only the workspace uses. */
const LEFTOVER = /(?:\.tsbuildinfo|\.(?:test|test-d|bench)\.[cm]?[jt]sx?|\.log)$|\/\.[^/]*$/

/**
 * @typedef {object} Contents the files of a package, below one folder
 * @property {() => readonly string[]} listFiles
 * @property {(path: string) => string} readFile
 */

/** @param {Contents} contents @returns {string[]} one sentence each */
export function tarballFaults(contents) {
  const files = contents.listFiles()
  const present = new Set(files)
  const leftovers = files.filter((path) => LEFTOVER.test(path)).map((path) => `${path} is a leftover of the build`)
  const maps = files
    .filter((path) => path.endsWith('.map'))
    .filter((path) => !hasSources(path, JSON.parse(contents.readFile(path)), present))
    .map((path) => `${path} names sources that are not in the package`)
  return [...leftovers, ...maps, ...descriptionFaults(files, contents)]
}

/**
 * @param {string} path of the map
 * @param {{ readonly sources: readonly string[], readonly sourceRoot?: string, readonly sourcesContent?: readonly (string | null)[] }} map
 * @param {ReadonlySet<string>} present
 */
function hasSources(path, { sources, sourceRoot = '', sourcesContent = [] }, present) {
  return sources.every(
    (source, index) =>
      typeof sourcesContent[index] === 'string' ||
      present.has(posix.normalize(posix.join(posix.dirname(path), sourceRoot, source))),
  )
}

/** @param {readonly string[]} files @param {Contents} contents */
function descriptionFaults(files, contents) {
  const manifest = files.find((path) => /^\/node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path))
  if (manifest === undefined) return ['it has no package.json']
  const { description, keywords = [], license } = JSON.parse(contents.readFile(manifest))
  const missing = Object.entries({ description, license, keywords: keywords[0] }).filter(([, value]) => !value)
  const readme = files.includes(posix.join(posix.dirname(manifest), 'README.md')) ? [] : ['it has no README.md']
  return [...missing.map(([key]) => `package.json has no ${key}`), ...readme]
}
