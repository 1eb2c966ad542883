/** Detects a promise of options that is spread without `await`: it has no options, so another machine would start. */
import { OptionError } from '../errors.ts'

// Registered, because a worker may load this package twice.
/** Value of options whose `await` is missing. */
export const AWAIT_MISSING: unique symbol = Symbol.for('coldboot: await is missing') as typeof AWAIT_MISSING

/**
 * A promise of options for a machine. It must be awaited before it is spread: `{ ...(await linuxGuest()) }`. Its own
 * properties are of no type that a machine accepts, so that the compiler and the checks of options refuse
 * `{ ...linuxGuest() }`.
 */
export type PendingOptions<Options> = Promise<Options> & {
  readonly kernel: typeof AWAIT_MISSING
  readonly initramfs: typeof AWAIT_MISSING
}

/** Makes a promise of options one that cannot be spread without `await`. */
export function pendingOptions<Options>(options: Promise<Options>): PendingOptions<Options> {
  return Object.assign(options, { kernel: AWAIT_MISSING, initramfs: AWAIT_MISSING } as const)
}

/** @throws OptionError `INVALID_OPTION` if a value comes from a promise of options */
export function requireAwaited(prefix: string, value: unknown): void {
  if (value !== AWAIT_MISSING) return
  throw new OptionError('INVALID_OPTION', `${prefix}the options contain a promise that was spread without \`await\``, {
    hint: 'Write `...(await linuxGuest())`. In TypeScript, the compiler finds this mistake.',
  })
}
