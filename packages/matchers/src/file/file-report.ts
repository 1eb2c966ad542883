/** Messages of `toHaveFile`. */
import { formatDuration } from '@coldboot/core/internal'
import type { Report, Verdict } from '../awaited-matcher.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { isText, withoutLineEnd } from '../text-pattern.ts'
import { cutNote, type WaitWindow } from '../wait-window.ts'
import type { FileContent, Found } from './guest-file.ts'
import { firstDifference, hexDumps } from './hex-dump.ts'

/** The verdict for a missing or different file. @param window undefined if the test did not wait */
export function hasNot(
  vm: MatcherVM,
  path: string,
  content: FileContent | undefined,
  found: Found,
  window: WaitWindow | undefined,
): Pick<Verdict, 'report' | 'expected' | 'actual'> {
  const when = window === undefined ? '' : ` within ${formatDuration(window.granted * vm.spec.timeoutMultiplier)}`
  const note = window === undefined ? '' : cutNote(window, vm)
  const later = window === undefined ? ' The file was checked once; pass `{ timeout }` to wait for it.' : ''
  if (found.kind === 'directory') {
    const what = `${note}${path} in "${vm.name}" is a directory`
    return { report: () => ({ what, hint: 'Give the path of a file.' }) }
  }
  if (found.kind === 'missing') {
    const what = `${note}"${vm.name}" has no file ${path}${when}`
    return { report: () => missing(what, later, found) }
  }
  const bytes = Buffer.from(found.bytes ?? [])
  if (isText(content)) {
    const what = `${note}${path} in "${vm.name}" does not have the expected content${when}`
    const hint = `A string must equal the whole content, except for a final newline. A regular expression may match any part.${later}`
    const expected = typeof content === 'string' ? withoutLineEnd(content) : content
    return { report: () => ({ what, hint }), expected, actual: withoutLineEnd(bytes.toString()) }
  }
  const wanted = content ?? bytes
  const [expected, actual] = hexDumps(wanted, bytes)
  const sizes = `${bytes.length} bytes, expected ${wanted.length}; the first difference is at byte ${firstDifference(wanted, bytes)}`
  const what = `${note}${path} in "${vm.name}" does not have the expected bytes${when}: ${sizes}`
  return { report: () => ({ what, hint: `Compare the bytes below.${later}` }), expected, actual }
}

/** The report that the file exists, for `.not`. */
export function hasIt(vm: MatcherVM, path: string, content: FileContent | undefined): Report {
  const what = `"${vm.name}" has the file ${path}${content === undefined ? '' : ', with that content'}`
  return { what, hint: 'The file must not exist.' }
}

function missing(what: string, later: string, found: Found & { readonly kind: 'missing' }): Report {
  const { target, directory, entries } = found
  const hint =
    target === undefined
      ? `Check the path, and that the program that creates the file is in the guest.${later}`
      : `It is a symbolic link to ${target}, which does not exist.${later}`
  const sections = directory === '' ? {} : { [`Content of ${directory}`]: entries || '(empty)' }
  return { what, hint, sections }
}
