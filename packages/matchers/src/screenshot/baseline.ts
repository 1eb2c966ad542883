/** Locates, reads and writes the screenshot that a screen is compared with. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { OptionError } from '@coldboot/core'
import { codeOf, nodeCrypto } from '@coldboot/core/internal'
import type { MatcherContext } from '../matcher-context.ts'
import type { MatcherVM } from '../matcher-vm.ts'

/** Longest file name made from a test name, characters. */
const LONGEST = 80

/** Screenshots that a run writes: `all`: missing and different ones; `new`: missing ones; `none`: none. */
export type UpdateMode = 'all' | 'new' | 'none'

/** The runner's counter to increment. */
export type Outcome = 'added' | 'updated' | 'matched' | 'unmatched'

/** A screenshot on disk. */
export interface KeptPicture {
  readonly path: string
  readonly bytes: Uint8Array
}

// Machine → number of its screenshots. A machine belongs to one test attempt, so numbers start again in a retry.
const taken = new WeakMap<object, number>()

/**
 * Path of the screenshot: `__screenshots__/<test file>/<name>.png` beside the test.
 *
 * @param name from the options. Default: the test name, the machine name unless it is `vm`, and a number from the second
 * screenshot on
 * @throws OptionError `INVALID_OPTION`
 */
export function baselinePath(context: MatcherContext, vm: MatcherVM, name: string | undefined): string {
  const { testPath, currentTestName } = context
  if (testPath === undefined || currentTestName === undefined) {
    throw new OptionError(
      'INVALID_OPTION',
      'toMatchScreenshot can only be used in a test, because it keeps its screenshot beside the test file',
    )
  }
  const file = name === undefined ? defaultName(currentTestName, vm) : checkedName(name)
  return join(dirname(testPath), '__screenshots__', basename(testPath), `${file}.png`)
}

function defaultName(testName: string, vm: MatcherVM): string {
  const number = (taken.get(vm) ?? 0) + 1
  taken.set(vm, number)
  const machine = vm.name === 'vm' ? '' : `-${plain(vm.name)}`
  return `${plain(testName)}${machine}${number === 1 ? '' : `-${number}`}`
}

const REVERSIBLE = /^(?!\.)[\p{L}\p{M}\p{N}._]+(?: [\p{L}\p{M}\p{N}._]+)*$/u

/** A file name, such as `menu--shows-entries` for `menu > shows entries`. Adds a hash if the name would not be unique. */
function plain(name: string): string {
  const parts = name.split(' > ')
  const readable = parts.map((part) => part.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}._]+/gu, '-')).join('--')
  if (readable.length <= LONGEST && parts.every((part) => REVERSIBLE.test(part))) return readable
  const short = [...readable.replace(/^[.-]+|[.-]+$/g, '')].slice(0, LONGEST).join('')
  return `${short}-${nodeCrypto().createHash('sha1').update(name).digest('hex').slice(0, 6)}`
}

function checkedName(name: unknown): string {
  if (typeof name === 'string' && /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]*$/u.test(name)) return name.replace(/\.png$/i, '')
  const what = 'a file name of letters, digits, spaces, dots, "-" and "_", without a directory'
  throw new OptionError('INVALID_OPTION', `toMatchScreenshot: \`name\` must be ${what}, and is ${JSON.stringify(name)}`)
}

/** The files of the paths that exist. */
export function readPictures(paths: readonly string[]): readonly KeptPicture[] {
  return paths.flatMap((path) => {
    try {
      return [{ path, bytes: readFileSync(path) }]
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return []
      throw error
    }
  })
}

/** Writes a file and creates its directories. @param mode 0o600 for files that only this user may read */
export function writePicture(path: string, picture: Uint8Array, mode = 0o666): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, picture, { mode })
}

/** The update mode of the test runner, from options such as `-u` and `--ci`. */
export function updateMode({ snapshotState }: MatcherContext): UpdateMode {
  // The properties of Vitest and of Jest.
  for (const key of ['snapshotUpdateState', '_updateSnapshot']) {
    const mode: unknown = snapshotState && Reflect.get(snapshotState, key)
    if (mode === 'all' || mode === 'new' || mode === 'none') return mode
  }
  return process.env['CI'] ? 'none' : 'new'
}

/** Counts the screenshot in the summary of the test runner. */
export function account({ snapshotState, task }: MatcherContext, outcome: Outcome): void {
  const counter: unknown = snapshotState && Reflect.get(snapshotState, outcome)
  if (typeof counter === 'number' && snapshotState) Reflect.set(snapshotState, outcome, counter + 1)
  else if (isCounterMap(counter)) counter.increment(String(task && Reflect.get(task, 'id')))
}

/** Vitest counts per test. */
function isCounterMap(value: unknown): value is { increment(id: string): void } {
  return typeof value === 'object' && value !== null && 'increment' in value && typeof value.increment === 'function'
}
