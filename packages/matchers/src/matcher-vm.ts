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

/** Largest number of property names in a message. */
const SHOWN_NAMES = 5

const METHODS = ['expect', 'hasPrinted'] as const

/** @throws OptionError `INVALID_OPTION` if `received` is not a machine */
export function requireMachine(matcher: string, received: unknown): MatcherVM {
  if (isMachine(received)) return received
  throw new OptionError('INVALID_OPTION', `expect(…).${matcher}() takes a VM, but got ${kindOf(received)}`, {
    hint: hintFor(received),
  })
}

function hintFor(received: unknown): string {
  // Recognized by its method, because Jest's tests have another `Promise` class.
  if (typeof received === 'object' && received !== null && typeof Reflect.get(received, 'then') === 'function') {
    return 'Await the promise first, for example `expect(await bootVM())`.'
  }
  if (typeof received === 'function') return 'Call the function: `vm()` for `useVM()`, or `await bootVM()`.'
  if (isDevice(received)) return 'Pass the machine that has the device: `expect(vm)`.'
  return 'Pass the `VM` itself.'
}

function isMachine(value: unknown): value is MatcherVM {
  if (typeof value !== 'object' || value === null) return false
  return METHODS.every((method) => typeof Reflect.get(value, method) === 'function')
}

function isDevice(value: unknown): value is { readonly name: string } {
  return typeof value === 'object' && value !== null && 'qemuArgs' in value && 'name' in value
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value)
  if (typeof value === 'string') return `the string ${JSON.stringify(value.slice(0, 40))}`
  if (typeof value === 'object') return describeObject(value)
  return `a ${typeof value}`
}

/** `a list`, `a Map`, or `an object with the properties width, height`. */
function describeObject(value: object): string {
  if (isDevice(value)) return `the device ${value.name}`
  if (Array.isArray(value)) return 'a list'
  const name = value.constructor?.name ?? 'Object'
  if (name !== 'Object' && name !== '') return `an instance of ${name}`
  const names = Object.keys(value)
  if (names.length === 0) return 'an empty object'
  const shown = names.slice(0, SHOWN_NAMES).join(', ')
  return `an object with the properties ${shown}${names.length > SHOWN_NAMES ? ', …' : ''}`
}
