/** Copies coverage data out of a guest, in the form that tools on the host read. */
import { existsSync, lstatSync } from 'node:fs'
import { readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf, OptionError } from '../../errors.ts'
import { readEnvironment } from '../../host/environment.ts'
import { nodeCrypto } from '../../host/lazy-node.ts'
import { type CheckTable, checkTable, isDuration, isPath, oneOf } from '../../options/checked-options.ts'
import type { Guest } from '../guest.ts'
import { quoteWord } from '../run-options.ts'
import { GuestFileError } from './guest-file-error.ts'
import { copyOut } from './guest-trees.ts'

/** Options of `VM.collectCoverage`. */
export interface CoverageOptions {
  /** `gcov`: `.gcda` of GCC; `v8`: the JSON of Node's NODE_V8_COVERAGE; `go`: the files of GOCOVERDIR. */
  readonly format: 'gcov' | 'v8' | 'go'
  /** Folder in the guest. @default for `gcov`, /sys/kernel/debug/gcov of the kernel; otherwise required */
  readonly from?: string | undefined
  /**
   * Folder on the host. It is created, and its other files are kept.
   * @default for `v8`, the folder in NODE_V8_COVERAGE, from which Vitest, c8 and others make their report; otherwise
   * required
   */
  readonly to?: string | undefined
  /** For `v8`: source folder in the guest → the same folder on the host. @default {}: the paths are equal */
  readonly sources?: Readonly<Record<string, string>> | undefined
  /** Timeout, milliseconds, before the multiplier. @default 60_000 */
  readonly timeout?: number | undefined
}

const CHECKS: CheckTable<Required<CoverageOptions>> = {
  format: oneOf(['gcov', 'v8', 'go']),
  from: isPath,
  to: isPath,
  sources: [
    'an object of paths',
    (value) =>
      typeof value === 'object' && value !== null && Object.values(value).every((path) => typeof path === 'string'),
  ],
  timeout: isDuration,
}

const KERNEL = '/sys/kernel/debug/gcov'

/** Names of the coverage files, as patterns for `find`. */
const NAMES = {
  gcov: "-name '*.gcda'",
  v8: "-name 'coverage-*.json'",
  go: "-name 'covmeta.*' -o -name 'covcounters.*'",
}

/**
 * See `VM.collectCoverage`.
 *
 * @returns paths of the copied files
 * @throws GuestFileError, OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export async function collectCoverage(guest: Guest, options: CoverageOptions): Promise<readonly string[]> {
  checkTable('collectCoverage', options, CHECKS)
  const { format, from = KERNEL, sources = {}, timeout = 60_000 } = options
  const to = options.to ?? reportFolder(format)
  const copy = `/tmp/.coldboot-coverage-${nodeCrypto().randomBytes(8).toString('hex')}`
  // Coverage files of the kernel have size 0, so tar would copy them as empty files.
  const each = `mkdir -p ${copy}/"\${1%/*}" && cat "$1" >${copy}/"$1"`
  const found = `cd ${quoteWord(from)} && mkdir -p ${copy} && find . \\( ${NAMES[format]} \\) -exec sh -c '${each}' sh {} \\; -print`
  const { stdout } = await guest.run(found, { timeout })
  try {
    await copyOut(guest, copy, to, { timeout })
  } finally {
    await guest.run(`rm -rf ${copy}`, { timeout, check: false })
  }
  // The guest may print any name, and the copy may contain links, so only regular files below the folder are used.
  const copied = new Set(await regularFilesBelow(to))
  const names = stdout.split('\n').filter((name) => name !== '')
  const files = names.map((name) => join(to, name)).filter((file) => copied.has(file))
  if (files.length === 0) {
    throw new GuestFileError('GUEST_FILE_MISSING', `${from} in "${guest.name}" has no coverage of ${format}`, from, {
      hint: 'Programs write their coverage when they end. docs/coverage.md describes the options that they need.',
    })
  }
  try {
    if (format === 'v8') await Promise.all(files.map((file) => relocate(file, sources)))
    if (format === 'gcov') await Promise.all(files.map((file) => linkNotes(file, to)))
  } catch (cause) {
    const what = `The coverage of ${format} of "${guest.name}" cannot be used: ${messageOf(cause)}`
    throw new GuestFileError('GUEST_FILE_FAILED', what, from, { cause })
  }
  return files
}

async function regularFilesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
}

/** The folder from which the test runner reads coverage for its report. @throws OptionError `INVALID_OPTION` */
function reportFolder(format: CoverageOptions['format']): string {
  const folder = format === 'v8' ? readEnvironment().v8CoverageDirectory : undefined
  if (folder !== undefined) return folder
  throw new OptionError('INVALID_OPTION', `collectCoverage of ${format} needs \`to\`, the folder on this host`, {
    hint:
      format === 'v8'
        ? 'Without it, NODE_V8_COVERAGE has the folder: set `autoAttachSubprocess: true` in the `coverage` of Vitest, or run the tests with `npx c8`.'
        : 'Give each machine its own folder.',
  })
}

/** Replaces guest folders by host folders in the script URLs of a V8 coverage file. */
async function relocate(file: string, sources: Readonly<Record<string, string>>): Promise<void> {
  const folders = Object.entries(sources).map(([inside, outside]) => [urlOf(inside), urlOf(outside)] as const)
  const coverage: unknown = JSON.parse(await readFile(file, 'utf8'))
  if (!isCoverage(coverage)) throw new Error(`${file} has no list of scripts with their URLs`)
  const result = coverage.result.map((script) => {
    const [inside, outside] = folders.find(([folder]) => script.url.startsWith(folder)) ?? ['', '']
    return { ...script, url: outside + script.url.slice(inside.length) }
  })
  await writeFile(file, JSON.stringify({ ...coverage, result }))
}

function isCoverage(value: unknown): value is { readonly result: readonly { readonly url: string }[] } {
  if (typeof value !== 'object' || value === null || !('result' in value) || !Array.isArray(value.result)) return false
  return value.result.every((script: unknown) => {
    return typeof script === 'object' && script !== null && 'url' in script && typeof script.url === 'string'
  })
}

function urlOf(folder: string): string {
  return `${pathToFileURL(resolve(folder)).href}/`
}

/** Adds a link to the `.gcno` file of the compiler beside a `.gcda` file, as the kernel does, for gcov and lcov. */
async function linkNotes(file: string, to: string): Promise<void> {
  const notes = file.replace(/\.gcda$/, '.gcno')
  const built = join('/', relative(to, notes))
  // `lstat` also finds a link without a target.
  const hasNotes = lstatSync(notes, { throwIfNoEntry: false }) !== undefined
  if (!hasNotes && existsSync(built)) await symlink(built, notes)
}
