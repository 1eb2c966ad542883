// @ts-check
/**
 * The generated part of a package: its files, their licences (`COPYRIGHT`), the origin of their sources (`SOURCES`), and a
 * list of all files with their hashes (`manifest.json`). It is not committed. The same input gives the same bytes.
 */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/**
 * @typedef {object} ContentFile
 * @property {Uint8Array} data
 * @property {boolean} [executable] @default false
 */

/**
 * @typedef {object} ContentPart a Debian package that files were taken from
 * @property {import('./debian.mjs').DebianPackage} package
 * @property {string} copyright its licence text
 */

/**
 * @typedef {object} Manifest
 * @property {string} key of the input, see {@link contentKey}
 * @property {Readonly<Record<string, string>>} debian package → version
 * @property {Readonly<Record<string, { sha256: string, bytes: number, executable?: true }>>} files by path, `/` between names
 */

const MANIFEST = 'manifest.json'

/**
 * Hash of the scripts and other values that determine the content.
 * @param {readonly (string | URL)[]} sources paths of the scripts @param {readonly string[]} [values]
 */
export function contentKey(sources, values = []) {
  const hash = createHash('sha256')
  for (const source of sources) hash.update(readFileSync(source)).update('\0')
  for (const value of values) hash.update(value).update('\0')
  return hash.digest('hex')
}

/** The manifest of the content in a folder; undefined without one. @param {string} folder @returns {Manifest | undefined} */
export function readManifest(folder) {
  try {
    return JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8'))
  } catch {
    return undefined
  }
}

/** Whether a folder has the complete content of this key. @param {string} folder @param {string} key */
export function hasContent(folder, key) {
  const manifest = readManifest(folder)
  return manifest?.key === key && Object.keys(manifest.files).every((path) => existsSync(join(folder, path)))
}

/**
 * Writes the content into the folder of a package, and removes the content of an earlier call.
 * @param {string} folder
 * @param {{ key: string, files: ReadonlyMap<string, ContentFile>, parts: readonly ContentPart[] }} content
 * @returns {Promise<Manifest>}
 */
export async function writeContent(folder, { key, files, parts }) {
  const earlier = readManifest(folder)
  // Removed first, so that incomplete content does not look complete.
  await rm(join(folder, MANIFEST), { force: true })
  for (const path of Object.keys(earlier?.files ?? {})) await rm(join(folder, path), { force: true })
  const sorted = [...parts].sort((a, b) => compare(a.package.name, b.package.name))
  const all = new Map([
    ...files,
    ['COPYRIGHT', { data: Buffer.from(copyrightText(sorted)) }],
    ['SOURCES', { data: Buffer.from(sourcesText(sorted)) }],
  ])
  /** @type {Record<string, { sha256: string, bytes: number, executable?: true }>} */
  const listed = {}
  for (const [path, { data, executable }] of [...all].sort(([a], [b]) => compare(a, b))) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), data, { mode: executable ? 0o755 : 0o644 })
    const sha256 = createHash('sha256').update(data).digest('hex')
    listed[path] = { sha256, bytes: data.length, ...(executable ? { executable: true } : {}) }
  }
  const debian = Object.fromEntries(sorted.map((part) => [part.package.name, part.package.version]))
  const manifest = { key, debian, files: listed }
  await writeFile(join(folder, MANIFEST), `${JSON.stringify(manifest, undefined, 2)}\n`)
  return manifest
}

/** Paths of files that differ from the manifest. @param {string} folder @returns {Promise<string[]>} */
export async function damagedFiles(folder) {
  const damaged = []
  for (const [path, { sha256 }] of Object.entries(readManifest(folder)?.files ?? {})) {
    const data = await readFile(join(folder, path)).catch(() => '')
    if (createHash('sha256').update(data).digest('hex') !== sha256) damaged.push(path)
  }
  return damaged
}

/** @param {readonly ContentPart[]} parts */
function copyrightText(parts) {
  // Packages of one source often have the same text, which is written once.
  const byText = Map.groupBy(parts, ({ copyright }) => copyright)
  const rule = '='.repeat(80)
  const sections = [...byText].map(([text, having]) => {
    const names = having.map((part) => `${part.package.name} ${part.package.version}`)
    return `${rule}\n${names.join('\n')}\n${rule}\n\n${text.trimEnd()}\n`
  })
  return `This package has files of these Debian packages, under the licences given below.\n\n${sections.join('\n')}`
}

/** @param {readonly ContentPart[]} parts */
function sourcesText(parts) {
  const bySource = Map.groupBy(parts, ({ package: { source, sourceVersion } }) => `${source} ${sourceVersion}`)
  const rows = [...bySource]
    .sort(([a], [b]) => compare(a, b))
    .map(([source, having]) => {
      const [name, version = ''] = source.split(' ')
      const url = `https://snapshot.debian.org/package/${name}/${encodeURIComponent(version)}/`
      return `${source}\n  ${url}\n${having.map((part) => `  ${part.package.file} sha256 ${part.package.sha256}\n`).join('')}`
    })
  return [
    'The files of this package come unchanged, or only stripped or unpacked, from these Debian packages.',
    'Their complete source code, build instructions included, is that of the source packages named here:',
    '`apt-get source NAME=VERSION` from deb.debian.org, or the address below it for every version ever published.',
    '',
    ...rows,
  ].join('\n')
}

/** Compares code units, so that the result does not depend on the locale. @param {string} a @param {string} b */
function compare(a, b) {
  if (a === b) return 0
  return a < b ? -1 : 1
}
