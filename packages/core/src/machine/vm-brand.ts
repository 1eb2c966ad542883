/** The mark of a {@link VM}: registered, because a worker may load this package twice. */
import type { VM } from './vm.ts'

const BRAND = Symbol.for('coldboot.vm')

/** Marks an object as a VM. */
export function brandVM(vm: VM): void {
  Object.defineProperty(vm, BRAND, { value: true })
}

/** Whether a value is a VM of this package, whichever copy of it was loaded. */
export function isVM(value: unknown): value is VM {
  return typeof value === 'object' && value !== null && BRAND in value
}
