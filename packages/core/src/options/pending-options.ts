/** Detects a promise of options that is spread without `await`. Of a plain promise, a spread copies no options. */
import { OptionError } from '../errors.ts'

// Registered, because a worker may load this package twice.
/** Value of the properties of a promise that was not awaited. */
export const AWAIT_MISSING: unique symbol = Symbol.for('coldboot: await is missing') as typeof AWAIT_MISSING

/**
 * A promise of options for a machine. It must be awaited before it is spread: `{ ...(await linuxGuest()) }`. The
 * promise itself has properties with the names of options and with values that no machine accepts. Therefore the
 * compiler and the checks of options reject `{ ...linuxGuest() }`.
 */
export type PendingOptions<Options> = Promise<Options> & {
  readonly kernel: typeof AWAIT_MISSING
  readonly initramfs: typeof AWAIT_MISSING
}

/** Adds properties to a promise of options, so that a spread without `await` is rejected. */
export function pendingOptions<Options>(options: Promise<Options>): PendingOptions<Options> {
  return Object.assign(options, { kernel: AWAIT_MISSING, initramfs: AWAIT_MISSING } as const)
}

/** Rejects values from a promise of options that was not awaited. @throws OptionError `INVALID_OPTION` */
export function requireAwaited(prefix: string, value: unknown): void {
  if (value !== AWAIT_MISSING) return
  throw new OptionError('INVALID_OPTION', `${prefix}the options contain a promise that was spread without \`await\``, {
    hint: 'Write `...(await linuxGuest())`. In TypeScript, the compiler finds this mistake.',
  })
}
