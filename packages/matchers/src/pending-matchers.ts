/**
 * The matchers that have not settled, by machine. A runner cannot tell whether somebody awaits a matcher; one that is
 * still at work when its test would pass was not awaited.
 */
import { type VM } from '@coldboot/core'
import { CallSite } from '@coldboot/core/internal'

/** Something that a test has begun to wait for and that is not over. */
export interface Pending {
  /** A clause: `"vm" was still to print "login: "`. */
  readonly what: string
  /** `file:line:column` of the call. */
  readonly location: string | undefined
}

interface PendingMatcher {
  readonly call: string
  readonly site: CallSite
}

// In one place for all copies of this package.
const KEY = Symbol.for('coldboot.pendingMatchers')

function registry(): WeakMap<object, Set<PendingMatcher>> {
  const known: unknown = Reflect.get(globalThis, KEY)
  if (known instanceof WeakMap) return known
  const made = new WeakMap<object, Set<PendingMatcher>>()
  Reflect.set(globalThis, KEY, made)
  return made
}

/** Counts a matcher as pending until the result is disposed. @param call as its user wrote it */
export function countPending(vm: object, call: string): Disposable {
  const known = registry()
  const pending = known.get(vm) ?? new Set()
  known.set(vm, pending)
  const entry = { call, site: new CallSite() }
  pending.add(entry)
  return { [Symbol.dispose]: () => void pending.delete(entry) }
}

/** All that a test still waits for on a machine: matchers, else calls into the guest, else waits of the machine’s own, oldest first. */
export function pendingOn(vm: Pick<VM, 'name' | 'pendingWaits' | 'pendingCalls'>): readonly Pending[] {
  // What a matcher calls and waits for is its own affair, and so is what a call does.
  const matchers = [...(registry().get(vm) ?? [])].map(({ call, site }) => ({
    what: `\`${call}\` still waited for "${vm.name}"`,
    location: site.location,
  }))
  if (matchers.length > 0) return matchers
  const calls = vm.pendingCalls.map(({ call, location }) => ({
    what: `\`${call}\` was still at work in "${vm.name}"`,
    location,
  }))
  if (calls.length > 0) return calls
  return vm.pendingWaits.map(({ pattern, location }) => ({
    what: `"${vm.name}" was still to print ${pattern}`,
    location,
  }))
}
