/**
 * Mounts that the guest of `@coldboot/guest` performs before its shell starts, by an argument of the kernel command
 * line.
 */
import { type Check, isString } from '../../options/checked-options.ts'

/** A mount. Values must not contain blanks. Only `options` may contain colons. */
export interface GuestMount {
  /** Mount point, see {@link isMountPoint}. */
  readonly at: string
  /** Type of the file system, for `mount -t`. */
  readonly type: string
  /** Source: a path, a tag, or `LABEL=…`. */
  readonly source: string
  /** Options, for `mount -o`. */
  readonly options: string
}

/** Check of a mount point, which must be usable in a word of the kernel command line. */
export const isMountPoint: Check = [
  'an absolute path without blanks, quotes, colons or control characters',
  (value) => isString(value) && /^\/[^\s"':\p{Cc}]+$/u.test(value),
]

/** Kernel argument for mounts early in the boot, because lines of the option `init` may need them. */
export const EARLY_MOUNTS = 'coldboot.mounts=early'

/** Kernel argument for a mount. */
export function mountWord({ at, type, source, options }: GuestMount): string {
  return `coldboot.mount=${at}:${type}:${source}:${options}`
}

/** Script for the same mount in a running guest. */
export function mountScript({ at, type, source, options }: GuestMount): string {
  return `mkdir -p '${at}' && mount -t ${type} -o '${options}' '${source}' '${at}' || {
  echo "coldboot: ${source} cannot be mounted at ${at}" >&2
  exit 1
}`
}

/** Script that reverts {@link mountScript}. */
export function unmountScript(at: string): string {
  return `umount '${at}'`
}
