/** The option `failOn`, which selects the guest failures that reject waits. */
import { types } from 'node:util'
import { type GuestFailureName, INCIDENT_KINDS } from './incident-kinds.ts'

/** A custom failure: when the console matches its pattern, every wait is rejected. */
export interface CustomGuestFailure {
  /** Name of the failure in errors and `vm.incidents`. */
  readonly name: string
  /** Pattern, searched in the clean text. Flags `g` and `y` are ignored. */
  readonly pattern: string | RegExp
}

/** Guest failures that reject all waits, by name. Each is `'fail'` unless set to `'allow'`. */
export type GuestFailureOptions = Readonly<Partial<Record<GuestFailureName, 'fail' | 'allow'>>> & {
  /** Additional failures, by pattern. @default none */
  readonly custom?: readonly CustomGuestFailure[] | undefined
  /**
   * Path of the System.map of the kernel. With it, call traces of a kernel without `CONFIG_KALLSYMS` show names of
   * functions. @default none: such call traces show addresses
   */
  readonly systemMap?: string | undefined
}

/** Whether `value` is valid for `failOn.custom`. */
export function isCustomFailures(value: unknown): boolean {
  return Array.isArray(value) && value.every(isCustom)
}

function isCustom(value: unknown): value is CustomGuestFailure {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('pattern' in value)) return false
  const { name, pattern } = value
  if (typeof name !== 'string' || name === '' || name === 'custom') return false
  if (INCIDENT_KINDS.some((kind) => kind.name === name)) return false
  return types.isRegExp(pattern) ? !pattern.test('') : typeof pattern === 'string' && pattern !== ''
}
