/** Options of `VM.start` and their checks. */
import { OptionError } from '../errors.ts'
import { type AdmissionLimits, DEFAULT_LIMITS } from '../host/machines/admission.ts'
import { Checkpoint } from '../machine/checkpoint.ts'
import {
  type CheckTable,
  checkTable,
  isFlag,
  isMemorySize,
  type MemorySize,
  memoryMibOf,
  oneOf,
  wholeNumber,
} from '../options/checked-options.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { VM_CHECKS } from '../spec/option-checks.ts'
import { RESTORE_CHECKS } from '../spec/restore-overrides.ts'
import { isPrepare, isTemplateKeys, type PreparationOptions, preparationOf } from './preparation.ts'

/**
 * `auto`: use a template; if the machine cannot be saved, boot it with a warning. `required`: use a template; if the
 * machine cannot be saved, throw an error. `off`: always boot.
 */
export type TemplatePolicy = 'auto' | 'off' | 'required'

/** Options of a machine, of its preparation and of its template. */
export interface VMOptions extends MachineOptions {
  /** Whether the machine is booted once, saved as a template, and restored from then on. @default 'auto' */
  readonly template?: TemplatePolicy | undefined
  /**
   * Prepares the machine after its boot. Runs once, because the result is part of the template. Each step of a list
   * makes a layer over the result of the previous step, so if a step changes, only this step and later ones run again.
   * @default none
   */
  readonly prepare?: PreparationOptions['prepare']
  /**
   * Distinguishes templates whose `prepare` has the same source text, for example by the version of a program that it
   * installs. For a list of steps, a list with a key for each step; a single key belongs to the first step. @default ''
   */
  readonly templateKey?: PreparationOptions['key']
  /** Most machines at once, in all processes of this user. Further machines wait. @default 64 */
  readonly maxMachines?: number | undefined
  /** Most guest memory of all machines together, with its unit. @default three quarters of the memory of the host or container */
  readonly memoryBudget?: MemorySize | undefined
  /**
   * Whether the next machine is restored in the background while this one is used. See {@link endPool}.
   *
   * @default false
   */
  readonly pool?: boolean | undefined
  /**
   * Starts the machine from a checkpoint of another one, instead of booting it. Can be combined only with options that
   * the guest cannot see, and with `maxMachines` and `memoryBudget`. @default none
   */
  readonly from?: Checkpoint | undefined
}

const READY_CHECKS: CheckTable<Required<VMOptions>> = {
  ...VM_CHECKS,
  template: oneOf(['auto', 'off', 'required']),
  prepare: isPrepare,
  templateKey: isTemplateKeys,
  maxMachines: wholeNumber(1, 10_000),
  memoryBudget: isMemorySize,
  pool: isFlag,
  from: ['a checkpoint', (value) => value instanceof Checkpoint],
}

/**
 * Checks all options of `VM.start`.
 *
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function checkVMOptions(options: VMOptions): void {
  checkTable('', options, READY_CHECKS)
  if (options.from !== undefined) checkWithFrom(options)
  preparationOf({ prepare: options.prepare, key: options.templateKey })
}

/** Options that can be combined with `from`, because the guest cannot see them. */
const WITH_FROM = [...Object.keys(RESTORE_CHECKS), 'maxMachines', 'memoryBudget']

function checkWithFrom(options: VMOptions): void {
  const given = Object.entries(options).filter(([, value]) => value !== undefined)
  const stray = given.find(([key]) => key !== 'from' && !WITH_FROM.includes(key))
  if (stray === undefined) return
  throw new OptionError(
    'UNKNOWN_OPTION',
    `\`${stray[0]}\` cannot be combined with \`from\`: the machine continues as the one of the checkpoint`,
    { hint: `The options with \`from\` are ${WITH_FROM.join(', ')}.` },
  )
}

/** The limits set by the options. */
export function limitsOf({
  maxMachines,
  memoryBudget,
}: Pick<VMOptions, 'maxMachines' | 'memoryBudget'>): AdmissionLimits {
  return {
    maxMachines: maxMachines ?? DEFAULT_LIMITS.maxMachines,
    memoryMib: memoryBudget === undefined ? DEFAULT_LIMITS.memoryMib : memoryMibOf(memoryBudget),
  }
}
