/** The option `failOn`: what a guest may do without failing its test, and what else it may not. */
import { types } from 'node:util'
import { type GuestFailureName, INCIDENT_KINDS } from './incident-kinds.ts'

/** A pattern of one's own: when a line of the console matches, every wait is rejected. */
export interface CustomGuestFailure {
  /** Names it in errors and `vm.incidents`. */
  readonly name: string
  /** Looked for in each line, in clean text. Flags `g` and `y` are ignored. */
  readonly pattern: string | RegExp
}

/** What is watched for on the console. */
export type GuestFailureOptions = Readonly<Partial<Record<GuestFailureName, 'fail' | 'allow'>>> & {
  /** @default none */
  readonly custom?: readonly CustomGuestFailure[] | undefined
}

/** `failOn` as a check of the option table. */
export const FAIL_ON_EXPECTED: string = `an object of monitors (${INCIDENT_KINDS.map(({ name }) => name).join(', ')}), each 'fail' or 'allow', and \`custom\`, a list of { name, pattern }`

/** Whether `value` is what the option takes. */
export function isGuestFailureOptions(value: unknown): value is GuestFailureOptions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([key, setting]) =>
    key === 'custom'
      ? setting === undefined || (Array.isArray(setting) && setting.every(isCustom))
      : INCIDENT_KINDS.some(({ name }) => name === key) && [undefined, 'fail', 'allow'].includes(setting),
  )
}

function isCustom(value: unknown): value is CustomGuestFailure {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('pattern' in value)) return false
  const { name, pattern } = value
  if (typeof name !== 'string' || name === '' || name === 'custom') return false
  if (INCIDENT_KINDS.some((kind) => kind.name === name)) return false
  return types.isRegExp(pattern) ? !pattern.test('') : typeof pattern === 'string' && pattern !== ''
}
