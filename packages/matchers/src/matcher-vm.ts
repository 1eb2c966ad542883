/** The part of `VM` that matchers use, recognized by shape because a worker may load two copies of the class. */
import { OptionError, type VM } from '@coldboot/core'

/** The part of `VM` that matchers use. */
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
  | 'isPaused'
  | 'spec'
  | 'timeout'
  | 'logFile'
  | 'keptLog'
  | 'commandLine'
  | 'ended'
  | 'incidents'
  | 'onIncident'
>

const METHODS = ['expect', 'hasPrinted'] as const

/** @throws OptionError `INVALID_OPTION` if `received` is not a machine */
export function requireMachine(matcher: string, received: unknown): MatcherVM {
  if (isMachine(received)) return received
  throw new OptionError('INVALID_OPTION', `expect(…).${matcher}() takes a VM, but got ${kindOf(received)}`, {
    hint: hintFor(received),
  })
}

function hintFor(received: unknown): string {
  // By shape, because Jest's tests have another `Promise` class.
  if (typeof received === 'object' && received !== null && typeof Reflect.get(received, 'then') === 'function') {
    return 'Await the promise first, for example `expect(await bootVM())`.'
  }
  if (typeof received === 'function') return 'Call the function: `vm()` for `useVM()`, or `await bootVM()`.'
  return 'Pass the `VM` itself.'
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
