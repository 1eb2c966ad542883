/** What is at a path in a guest, as one look finds it, and waiting for something else to be there. */
import { ColdbootError, type RunOptions } from '@coldboot/core'
import type { MatcherVM } from '../matcher-vm.ts'
import type { Text } from '../text-pattern.ts'

/** What a file is to have in it: text, all of it but the last line end; an expression for some of it; or all its bytes. */
export type FileContent = Text | Uint8Array

/** What a look found. */
export type Found =
  | { readonly kind: 'file'; readonly bytes: Uint8Array | undefined }
  | { readonly kind: 'directory' }
  /** With what is in the nearest directory that is there. */
  | {
      readonly kind: 'missing'
      readonly target: string | undefined
      readonly directory: string
      readonly entries: string
    }

/** How it is looked. */
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
 * @param withContent whether to read it
 * @throws GuestCommandError, GuestFileError when it could not be looked
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
    // It went while we looked.
    if (!ColdbootError.is(error) || error.code !== 'GUEST_FILE_MISSING') throw error
    return { kind: 'missing', target: undefined, directory: '', entries: '' }
  }
}

/** A checksum of what is there, to know a change by; `none` of what is not. */
export async function sumOf(vm: MatcherVM, path: string, options: LookOptions): Promise<string> {
  const { stdout } = await vm.run(['sh', '-c', SUM, 'sh', path], options)
  return stdout.trimEnd()
}

// POSIX has the first; Debian’s busybox only the others. The size and the time are better than nothing.
const SUM = '{ cksum <"$1" || md5sum <"$1" || sha256sum <"$1" || ls -lL "$1"; } 2>/dev/null || echo none'

/**
 * Waits in the guest until the checksum is another one.
 * @returns whether it is, before the time was up
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
