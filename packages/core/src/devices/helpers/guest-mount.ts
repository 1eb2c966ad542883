/** Mounts by the guest of `@coldboot/guest`, requested on the kernel command line and done before its shell starts. */
import { type Check, isString } from '../../options/checked-options.ts'

/** A mount. No value has blanks, and only `options` may have colons. */
export interface GuestMount {
  /** Mount point, see {@link isMountPoint}. */
  readonly at: string
  /** File system, as for `mount -t`. */
  readonly type: string
  /** A path, a tag, or `LABEL=…`. */
  readonly source: string
  /** As for `mount -o`. */
  readonly options: string
}

/** A path that can be part of a word of the kernel command line. */
export const isMountPoint: Check = [
  'an absolute path without blanks, quotes, colons or control characters',
  (value) => isString(value) && /^\/[^\s"':\p{Cc}]+$/u.test(value),
]

/** A word of the guest's that keeps mounts before its own start: lines of the user's run there and may need them. */
export const EARLY_MOUNTS = 'coldboot.mounts=early'

/** The word on the kernel command line for a mount. */
export function mountWord({ at, type, source, options }: GuestMount): string {
  return `coldboot.mount=${at}:${type}:${source}:${options}`
}

/** A script for the same mount in a running guest. */
export function mountScript({ at, type, source, options }: GuestMount): string {
  return `mkdir -p '${at}' && mount -t ${type} -o '${options}' '${source}' '${at}' || {
  echo "coldboot: ${source} cannot be mounted at ${at}" >&2
  exit 1
}`
}

/** A script that undoes {@link mountScript}. */
export function unmountScript(at: string): string {
  return `umount '${at}'`
}
