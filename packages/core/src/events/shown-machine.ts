/** Link from a view of a machine, such as its screen, to the machine, for matchers that receive the view. */

// Registered, because a worker may load this package twice.
const LINK = Symbol.for('coldboot.shownMachine')

/** Adds the link. @param machine returns the public VM object */
export function linkMachine<Shown extends object>(shown: Shown, machine: () => object): Shown {
  return Object.defineProperty(shown, LINK, { get: machine, configurable: true })
}

/** The machine that a view is linked to; undefined for other values. */
export function machineShownBy(value: unknown): object | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const machine: unknown = Reflect.get(value, LINK)
  return typeof machine === 'object' && machine !== null ? machine : undefined
}
