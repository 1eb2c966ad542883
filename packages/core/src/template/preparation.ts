/** Preparation of a machine: a function whose result is part of the template, or steps that each make a layer. */
import { OptionError } from '../errors.ts'
import type { VM } from '../machine/vm.ts'
import { type Check, isString } from '../options/checked-options.ts'

/** Prepares a machine. Identified by its source text. */
export type Prepare = (vm: VM) => unknown

/** What a user gives. */
export interface PreparationOptions {
  /**
   * Prepares the machine after its boot, once: installs, logs in, loads data. The result of each step of a list is a
   * template of its own over the one before, so that a changed step redoes only itself and those after it.
   * @default none
   */
  readonly prepare?: Prepare | readonly Prepare[] | undefined
  /**
   * Distinguishes templates whose `prepare` has the same source, for example by a version that it uses. For a list of
   * steps it may be a list with a key for each; a single key belongs to the first step. @default ''
   */
  readonly key?: string | readonly string[] | undefined
}

/** A step whose result is a layer. */
export interface PrepareStep {
  readonly run: Prepare
  readonly source: string
  readonly key: string
}

/** What a template consists of, besides its machine. */
export interface Preparation {
  /** Prepares the machine that boots. */
  readonly prepare: Prepare | undefined
  readonly key: string
  /** The lowest one first. */
  readonly layers: readonly PrepareStep[]
}

/** @throws OptionError `INVALID_OPTION` for keys that do not fit the steps */
export function preparationOf(options: PreparationOptions): Preparation {
  const { prepare, key = '' } = options
  if (isList(prepare)) return { prepare: undefined, key: '', layers: stepsOf(options) }
  if (isList(key)) throw misfit('one function, or none')
  return { prepare, key, layers: [] }
}

/** The steps of a list, or the one that a function is. @throws as {@link preparationOf} */
export function stepsOf({ prepare = [], key = '' }: PreparationOptions): readonly PrepareStep[] {
  const steps = isList(prepare) ? prepare : [prepare]
  if (isList(key) && key.length !== steps.length) throw misfit(`${steps.length} steps`)
  const keys = isList(key) ? key : [key]
  return steps.map((run, index) => ({ run, source: String(run), key: keys[index] ?? '' }))
}

/** Runs all steps. */
export async function runAll({ prepare, layers }: Preparation, vm: VM): Promise<void> {
  await prepare?.(vm)
  for (const { run } of layers) await run(vm)
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

/** Check of {@link PreparationOptions.prepare}. */
export const isPrepare: Check = [
  'a function or a list of functions',
  (value) => (isList(value) ? value.length > 0 && value.every(isFunction) : isFunction(value)),
]

/** Check of {@link PreparationOptions.key}. */
export const isTemplateKeys: Check = [
  'a string or a list of strings',
  (value) => (isList(value) ? value.every(isString) : isString(value)),
]

function isList<T>(value: T | readonly T[] | undefined): value is readonly T[] {
  return Array.isArray(value)
}

function misfit(steps: string): OptionError {
  return new OptionError('INVALID_OPTION', `The list of template keys does not fit \`prepare\`, which is ${steps}`, {
    hint: 'Give `prepare` and the keys as lists of the same length.',
  })
}
