/**
 * Preparation of a machine: one function, whose result is part of the template, or several steps, each of which makes a
 * layer.
 */
import { OptionError } from '../errors.ts'
import type { VM } from '../machine/vm.ts'
import { type Check, isString } from '../options/checked-options.ts'

/** A function that prepares a machine. Identified by its source text. */
export type Prepare = (vm: VM) => unknown

/** Options for the preparation. */
export interface PreparationOptions {
  /**
   * Prepares the machine once after its boot: installs software, logs in, loads data. Each step of a list makes a layer
   * over the result of the previous step, so if a step changes, only this step and later ones run again.
   * @default none
   */
  readonly prepare?: Prepare | readonly Prepare[] | undefined
  /**
   * Distinguishes templates whose `prepare` has the same source text, for example by the version of a program that it
   * installs. For a list of steps, a list with a key for each step; a single key belongs to the first step. @default ''
   */
  readonly key?: string | readonly string[] | undefined
}

/** A step that makes a layer. */
export interface PrepareStep {
  readonly run: Prepare
  readonly source: string
  readonly key: string
}

/** Parsed {@link PreparationOptions}. */
export interface Preparation {
  /** Prepares the booted machine, as part of the lowest template. */
  readonly prepare: Prepare | undefined
  readonly key: string
  /** Steps of the layers, the lowest one first. */
  readonly layers: readonly PrepareStep[]
}

/** Parses the options. @throws OptionError `INVALID_OPTION` for keys that do not fit the steps */
export function preparationOf(options: PreparationOptions): Preparation {
  const { prepare, key = '' } = options
  if (isList(prepare)) return { prepare: undefined, key: '', layers: stepsOf(options) }
  if (isList(key)) throw misfit('one function, or none')
  return { prepare, key, layers: [] }
}

/** The steps of `prepare`; a function is a single step. @throws as {@link preparationOf} */
export function stepsOf({ prepare = [], key = '' }: PreparationOptions): readonly PrepareStep[] {
  const steps = isList(prepare) ? prepare : [prepare]
  if (isList(key) && key.length !== steps.length) throw misfit(`${steps.length} steps`)
  const keys = isList(key) ? key : [key]
  return steps.map((run, index) => ({ run, source: String(run), key: keys[index] ?? '' }))
}

/** Runs the whole preparation in one machine. */
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
