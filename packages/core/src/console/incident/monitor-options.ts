/** The option `monitors`: what a guest may do without failing its test, and what else it may not. */
import { types } from 'node:util'
import { INCIDENT_KINDS, type MonitorName } from './incident-kinds.ts'

/** A pattern of one’s own: when a line of the console matches, every wait is rejected. */
export interface CustomMonitor {
  /** Names it in errors and `vm.incidents`. */
  readonly name: string
  /** Looked for in each line, in clean text. Flags `g` and `y` are ignored. */
  readonly pattern: string | RegExp
}

/** What is watched for on the console. */
export type MonitorOptions = Readonly<Partial<Record<MonitorName, 'fail' | 'allow'>>> & {
  /** @default none */
  readonly custom?: readonly CustomMonitor[] | undefined
}

/** `monitors` as a check of the option table. */
export const MONITORS_EXPECTED: string = `an object of monitors (${INCIDENT_KINDS.map(({ name }) => name).join(', ')}), each 'fail' or 'allow', and \`custom\`, a list of { name, pattern }`

/** Whether `value` is what the option takes. */
export function isMonitorOptions(value: unknown): value is MonitorOptions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(([key, setting]) =>
    key === 'custom'
      ? setting === undefined || (Array.isArray(setting) && setting.every(isCustom))
      : INCIDENT_KINDS.some(({ name }) => name === key) && [undefined, 'fail', 'allow'].includes(setting),
  )
}

function isCustom(value: unknown): value is CustomMonitor {
  if (typeof value !== 'object' || value === null || !('name' in value) || !('pattern' in value)) return false
  const { name, pattern } = value
  if (typeof name !== 'string' || name === '' || name === 'custom') return false
  if (INCIDENT_KINDS.some((kind) => kind.name === name)) return false
  return types.isRegExp(pattern) ? !pattern.test('') : typeof pattern === 'string' && pattern !== ''
}
