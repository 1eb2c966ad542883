/** Brand of a {@link VM}: a registered symbol, because a worker may load this package twice. */
import type { VM } from './vm.ts'

const BRAND = Symbol.for('coldboot.vm')

/** Marks an object as a VM. */
export function brandVM(vm: VM): void {
  Object.defineProperty(vm, BRAND, { value: true })
}

/** Whether a value is a VM, even one from another copy of this package. */
export function isVM(value: unknown): value is VM {
  return typeof value === 'object' && value !== null && BRAND in value
}
