/** What a user gives for a machine that is ready for a test, and its checks. */
import { type AdmissionLimits, DEFAULT_LIMITS } from '../host/admission.ts'
import {
  type CheckTable,
  checkTable,
  isFlag,
  isMemorySize,
  isString,
  memoryMibOf,
  oneOf,
  wholeNumber,
} from '../options/checked-options.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { VM_CHECKS } from '../spec/option-checks.ts'
import type { TemplateOptions } from './template.ts'

/**
 * `auto`: from a template where the machine can be saved, with a warning where it cannot. `required`: an error where it
 * cannot. `off`: by a boot.
 */
export type TemplatePolicy = 'auto' | 'off' | 'required'

/** A machine, and how it is brought to readiness. */
export interface VMOptions extends MachineOptions {
  /** Whether the machine is booted once and started from its save ever after. @default 'auto' */
  readonly template?: TemplatePolicy | undefined
  /** Readies the machine after its boot; part of the template, so that it runs once. @default nothing */
  readonly prepare?: TemplateOptions['prepare']
  /** Tells apart what the source of `prepare` does not show: a version, a content it closes over. @default '' */
  readonly templateKey?: string | undefined
  /** Most machines that run at once, all processes of this user together. Who is one too many waits. @default 64 */
  readonly maxMachines?: number | undefined
  /** Guest memory that all machines may have together, with its unit. @default three quarters of the host's */
  readonly memoryBudget?: string | undefined
  /** Whether the next machine is made ahead while this one is used. See {@link endPool}. @default false */
  readonly pool?: boolean | undefined
}

const READY_CHECKS: CheckTable<Required<VMOptions>> = {
  ...VM_CHECKS,
  template: oneOf(['auto', 'off', 'required']),
  prepare: ['a function', (value) => typeof value === 'function'],
  templateKey: ['a string', isString],
  maxMachines: wholeNumber(1, 10_000),
  memoryBudget: isMemorySize,
  pool: isFlag,
}

/**
 * Checks all options of a machine that is to be ready for a test.
 *
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function checkVMOptions(options: VMOptions): void {
  checkTable('', options, READY_CHECKS)
}

/** The limits that the options set. */
export function limitsOf({
  maxMachines,
  memoryBudget,
}: Pick<VMOptions, 'maxMachines' | 'memoryBudget'>): AdmissionLimits {
  return {
    maxMachines: maxMachines ?? DEFAULT_LIMITS.maxMachines,
    memoryMib: memoryBudget === undefined ? DEFAULT_LIMITS.memoryMib : memoryMibOf(memoryBudget),
  }
}
