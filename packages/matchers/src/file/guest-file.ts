/** Reads the state of a path in the guest, and waits for it to change. */
import { ColdbootError, type RunOptions } from '@coldboot/core'
import type { MatcherVM } from '../matcher-vm.ts'
import type { Text } from '../text-pattern.ts'

/** Expected content of a file: the whole text without a final newline, a regular expression for a part, or all bytes. */
export type FileContent = Text | Uint8Array

/** The state of a path. */
export type Found =
  | { readonly kind: 'file'; readonly bytes: Uint8Array | undefined }
  | { readonly kind: 'directory' }
  /** With the entries of the nearest existing parent directory. */
  | {
      readonly kind: 'missing'
      readonly target: string | undefined
      readonly directory: string
      readonly entries: string
    }

/** Options of the commands in the guest. */
export type LookOptions = Pick<RunOptions, 'via' | 'signal' | 'timeout'>

const LOOK = `
if [ -d "$1" ]; then echo directory
elif [ -e "$1" ]; then echo file
else
  echo missing
  readlink "$1" || echo
  d=\${1%/*}; while [ ! -d "\${d:-/}" ]; do d=\${d%/*}; done
  echo "\${d:-/}"; ls -A "\${d:-/}"
fi`

/**
 * @param withContent whether to read the file
 * @throws GuestCommandError, GuestFileError if the path cannot be read
 */
export async function lookAt(vm: MatcherVM, path: string, withContent: boolean, options: LookOptions): Promise<Found> {
  const { stdout } = await vm.run(['sh', '-c', LOOK, 'sh', path], options)
  const [kind, target = '', directory = '', ...entries] = stdout.trimEnd().split('\n')
  if (kind === 'directory') return { kind }
  if (kind === 'missing') return { kind, target: target || undefined, directory, entries: entries.join('\n') }
  try {
    return {
      kind: 'file',
      bytes: withContent ? await vm.readFile(path, { ...options, encoding: 'buffer' }) : undefined,
    }
  } catch (error) {
    // The file was removed between the two commands.
    if (!ColdbootError.is(error) || error.code !== 'GUEST_FILE_MISSING') throw error
    return { kind: 'missing', target: undefined, directory: '', entries: '' }
  }
}

/** A checksum that changes with the file; `none` for a missing file. */
export async function sumOf(vm: MatcherVM, path: string, options: LookOptions): Promise<string> {
  const { stdout } = await vm.run(['sh', '-c', SUM, 'sh', path], options)
  return stdout.trimEnd()
}

// POSIX has `cksum`, Debian's busybox only the next two. The last resort is the size and time of the file.
const SUM = '{ cksum <"$1" || md5sum <"$1" || sha256sum <"$1" || ls -lL "$1"; } 2>/dev/null || echo none'

/**
 * Waits in the guest until the checksum differs from `sum`.
 * @returns false if the time is up first
 */
export async function changesFrom(vm: MatcherVM, path: string, sum: string, options: LookOptions): Promise<boolean> {
  try {
    await vm.waitUntil(['sh', '-c', `[ "$(${SUM})" != "$2" ]`, 'sh', path, sum], options)
    return true
  } catch (error) {
    if (ColdbootError.is(error) && error.code === 'WAIT_TIMEOUT') return false
    throw error
  }
}
