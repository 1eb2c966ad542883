/** The picture that a test’s screen is compared with: where it is, and what this run may do with it. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { OptionError } from '@coldboot/core'
import type { MatcherContext } from '../matcher-context.ts'
import type { MatcherVM } from '../matcher-vm.ts'

/** Longest name made from a test’s, characters. */
const LONGEST = 80

/** What a run does with pictures: `all`: writes and updates; `new`: writes those that are missing; `none`: neither. */
export type UpdateMode = 'all' | 'new' | 'none'

/** What became of a picture, in the runner’s account of its snapshots. */
export type Outcome = 'added' | 'updated' | 'matched' | 'unmatched'

// A machine belongs to one attempt of a test; so do its pictures’ numbers.
const taken = new WeakMap<object, number>()

/**
 * Where the picture lies: `__screenshots__/<test file>/<name>.png` beside the test.
 *
 * @param name as the test gives it. Default: the test’s name, the machine’s if it is not `vm`, and a number from the second on
 * @throws OptionError `INVALID_OPTION`
 */
export function baselinePath(context: MatcherContext, vm: MatcherVM, name: string | undefined): string {
  const { testPath, currentTestName } = context
  if (testPath === undefined || currentTestName === undefined) {
    throw new OptionError(
      'INVALID_OPTION',
      'toMatchScreenshot can only be used in a test: its picture is kept beside it',
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

/** Fit for a file: `menu--shows-entries` of `menu > shows entries`. Different names stay different, by a hash if need be. */
function plain(name: string): string {
  const parts = name.split(' > ')
  const readable = parts.map((part) => part.normalize('NFC').replace(/[^\p{L}\p{M}\p{N}._]+/gu, '-')).join('--')
  if (readable.length <= LONGEST && parts.every((part) => REVERSIBLE.test(part))) return readable
  const short = [...readable.replace(/^[.-]+|[.-]+$/g, '')].slice(0, LONGEST).join('')
  return `${short}-${createHash('sha1').update(name).digest('hex').slice(0, 6)}`
}

function checkedName(name: unknown): string {
  if (typeof name === 'string' && /^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._-]*$/u.test(name)) return name.replace(/\.png$/i, '')
  const what = 'a file’s name of letters, digits, blanks, dots, “-” and “_”, without a directory'
  throw new OptionError('INVALID_OPTION', `toMatchScreenshot: \`name\` must be ${what}, and is ${JSON.stringify(name)}`)
}

/** The file, undefined when there is none. */
export function readPicture(path: string): Uint8Array | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Writes a file with its directories. @param mode 0o600 for what only this user is to see */
export function writePicture(path: string, picture: Uint8Array, mode = 0o666): void {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, picture, { mode })
}

/** What the runner was told to do with its snapshots: `-u`, `--ci`. */
export function updateMode({ snapshotState }: MatcherContext): UpdateMode {
  // Vitest’s property and Jest’s.
  for (const key of ['snapshotUpdateState', '_updateSnapshot']) {
    const mode: unknown = snapshotState && Reflect.get(snapshotState, key)
    if (mode === 'all' || mode === 'new' || mode === 'none') return mode
  }
  return process.env['CI'] ? 'none' : 'new'
}

/** Counts the picture in the runner’s summary. */
export function account({ snapshotState, task }: MatcherContext, outcome: Outcome): void {
  const counter: unknown = snapshotState && Reflect.get(snapshotState, outcome)
  if (typeof counter === 'number' && snapshotState) Reflect.set(snapshotState, outcome, counter + 1)
  else if (isCounterMap(counter)) counter.increment(String(task && Reflect.get(task, 'id')))
}

/** Vitest counts by test. */
function isCounterMap(value: unknown): value is { increment(id: string): void } {
  return typeof value === 'object' && value !== null && 'increment' in value && typeof value.increment === 'function'
}
