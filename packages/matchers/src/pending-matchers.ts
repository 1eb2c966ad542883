/**
 * Registry of pending matchers by machine. Detects a missing `await`: a matcher that is still pending when its test passes was
 * not awaited.
 */
import { type VM } from '@coldboot/core'
import { CallSite } from '@coldboot/core/internal'

/** A pending wait of a test. */
export interface Pending {
  /** A clause, for example `"vm" had not yet printed "login: "`. */
  readonly what: string
  /** `file:line:column` of the call. */
  readonly location: string | undefined
}

interface PendingMatcher {
  readonly call: string
  readonly site: CallSite
}

// Shared by all copies of this package.
const KEY = Symbol.for('coldboot.pendingMatchers')

function registry(): WeakMap<object, Set<PendingMatcher>> {
  const known: unknown = Reflect.get(globalThis, KEY)
  if (known instanceof WeakMap) return known
  const made = new WeakMap<object, Set<PendingMatcher>>()
  Reflect.set(globalThis, KEY, made)
  return made
}

/** Registers a matcher as pending until the result is disposed. @param call its call as text */
export function countPending(vm: object, call: string): Disposable {
  const known = registry()
  const pending = known.get(vm) ?? new Set()
  known.set(vm, pending)
  const entry = { call, site: new CallSite() }
  pending.add(entry)
  return { [Symbol.dispose]: () => void pending.delete(entry) }
}

/** Returns a machine's pending matchers; if there are none, its pending guest calls; else its pending waits. Oldest first. */
export function pendingOn(vm: Pick<VM, 'name' | 'pendingWaits' | 'pendingCalls'>): readonly Pending[] {
  // A pending matcher explains the calls and waits it makes, and a pending call explains its waits.
  const matchers = [...(registry().get(vm) ?? [])].map(({ call, site }) => ({
    what: `\`${call}\` was still waiting for "${vm.name}"`,
    location: site.location,
  }))
  if (matchers.length > 0) return matchers
  const calls = vm.pendingCalls.map(({ call, location }) => ({
    what: `\`${call}\` was still running in "${vm.name}"`,
    location,
  }))
  if (calls.length > 0) return calls
  return vm.pendingWaits.map(({ pattern, location }) => ({
    what: `"${vm.name}" had not yet printed ${pattern}`,
    location,
  }))
}
