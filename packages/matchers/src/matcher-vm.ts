/** What a matcher needs of a machine, by shape: a worker may load two copies of the class. */
import { OptionError, type VM } from '@coldboot/core'

/** A machine, as far as matchers look at it. */
export type MatcherVM = Pick<
  VM,
  | 'name'
  | 'expect'
  | 'hasPrinted'
  | 'run'
  | 'readFile'
  | 'waitUntil'
  | 'ready'
  | 'output'
  | 'state'
  | 'spec'
  | 'timeout'
  | 'logFile'
  | 'keptLog'
  | 'commandLineQuoted'
  | 'ended'
  | 'incidents'
  | 'onIncident'
>

const METHODS = ['expect', 'hasPrinted'] as const

/**
 * @throws OptionError `INVALID_OPTION` when `received` is no machine
 */
export function requireMachine(matcher: string, received: unknown): MatcherVM {
  if (isMachine(received)) return received
  throw new OptionError('INVALID_OPTION', `expect(…).${matcher}() takes a machine, and was given ${kindOf(received)}`, {
    hint: hintFor(received),
  })
}

function hintFor(received: unknown): string {
  // A promise of Jest’s tests is none of this realm’s class.
  if (typeof received === 'object' && received !== null && typeof Reflect.get(received, 'then') === 'function') {
    return 'Await it: a machine that is still being started is a promise.'
  }
  if (typeof received === 'function') return 'It is a function: call it, as `vm()` of `useVM()`, or `await bootVM()`.'
  return 'Give it the `VM` itself.'
}

function isMachine(value: unknown): value is MatcherVM {
  if (typeof value !== 'object' || value === null) return false
  return METHODS.every((method) => typeof Reflect.get(value, method) === 'function')
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (typeof value === 'object') return `an object of class ${value.constructor?.name ?? 'Object'}`
  return `a ${typeof value}`
}
