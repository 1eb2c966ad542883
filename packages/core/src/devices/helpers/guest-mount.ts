/** What the guest of `@coldboot/guest` mounts by itself: asked for on the kernel's command line, done before its shell starts. */
import { type Check, isString } from '../../options/checked-options.ts'

/** A mount to ask for. None of it has blanks, and none but the options has colons. */
export interface GuestMount {
  /** Where: as {@link isMountPoint} has it. */
  readonly at: string
  /** File system, as for `mount -t`. */
  readonly type: string
  /** A path, a tag, or `LABEL=…`. */
  readonly source: string
  /** As for `mount -o`. */
  readonly options: string
}

/** A path that a word of the kernel's command line can carry. */
export const isMountPoint: Check = [
  'an absolute path without blanks, quotes, colons or control characters',
  (value) => isString(value) && /^\/[^\s"':\p{Cc}]+$/u.test(value),
]

/** A word of the guest's that keeps mounts before its own start: lines of the user's run there and may need them. */
export const EARLY_MOUNTS = 'coldboot.mounts=early'

/** The word that asks for it. */
export function mountWord({ at, type, source, options }: GuestMount): string {
  return `coldboot.mount=${at}:${type}:${source}:${options}`
}

/** A script that does the same in a guest that runs. */
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
