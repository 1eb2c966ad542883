/** The words of a file that is not there, or not as it is to be. */
import type { Report, Verdict } from '../awaited-matcher.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import { isText, withoutLineEnd } from '../text-pattern.ts'
import { cutNote, seconds, type WaitWindow } from '../wait-window.ts'
import type { FileContent, Found } from './guest-file.ts'
import { firstDifference, hexDumps } from './hex-dump.ts'

/** @param window undefined: it was looked for once */
export function hasNot(
  vm: MatcherVM,
  path: string,
  content: FileContent | undefined,
  found: Found,
  window: WaitWindow | undefined,
): Pick<Verdict, 'report' | 'expected' | 'actual'> {
  const when = window === undefined ? '' : ` within ${seconds(window.granted * vm.spec.timeoutMultiplier)}`
  const note = window === undefined ? '' : cutNote(window, vm)
  const later =
    window === undefined ? ' It was looked for once; what is still to come is waited for with `{ timeout }`.' : ''
  if (found.kind === 'directory') {
    const what = `${note}${path} in "${vm.name}" is a directory`
    return { report: () => ({ what, hint: 'Name a file in it.' }) }
  }
  if (found.kind === 'missing') {
    const what = `${note}"${vm.name}" has no file ${path}${when}`
    return { report: () => missing(what, later, found) }
  }
  const bytes = Buffer.from(found.bytes ?? [])
  if (isText(content)) {
    const what = `${note}${path} in "${vm.name}" does not have the content expected${when}`
    const hint = `A string is compared with all of it, the last line end aside; a regular expression with any part.${later}`
    const expected = typeof content === 'string' ? withoutLineEnd(content) : content
    return { report: () => ({ what, hint }), expected, actual: withoutLineEnd(bytes.toString()) }
  }
  const wanted = content ?? bytes
  const [expected, actual] = hexDumps(wanted, bytes)
  const sizes = `${bytes.length} bytes, expected ${wanted.length}; the first difference is at byte ${firstDifference(wanted, bytes)}`
  const what = `${note}${path} in "${vm.name}" does not have the bytes expected${when}: ${sizes}`
  return { report: () => ({ what, hint: `Compare the bytes below.${later}` }), expected, actual }
}

/** It is there although it must not be. */
export function hasIt(vm: MatcherVM, path: string, content: FileContent | undefined): Report {
  const what = `"${vm.name}" has the file ${path}${content === undefined ? '' : ', with that content'}`
  return { what, hint: 'It was not to be there.' }
}

function missing(what: string, later: string, found: Found & { readonly kind: 'missing' }): Report {
  const { target, directory, entries } = found
  const hint =
    target === undefined
      ? `Check the path, and that the guest has what makes the file.${later}`
      : `It is a symbolic link to ${target}, which is not there.${later}`
  const sections = directory === '' ? {} : { [`What is in ${directory}`]: entries || '(nothing)' }
  return { what, hint, sections }
}
