/** Messages and picture files of `toMatchScreenshot`. */

import { basename, dirname, join } from 'node:path'
import { formatDuration } from '@coldboot/core/internal'
import type { Report } from '../awaited-matcher.ts'
import { incidentSections } from '../incident-sections.ts'
import type { MatcherVM } from '../matcher-vm.ts'
import type { Seen } from '../screen-watch.ts'
import { cutNote } from '../wait-window.ts'
import { writePicture } from './baseline.ts'
import type { Attempt } from './closest.ts'
import type { Comparison } from './comparison.ts'
import type { Difference } from './picture.ts'

const MISMATCH_HINT =
  'Look at the pictures. If the change is correct, update the screenshot (`-u`). Use `mask` to ignore parts that differ each time, and `maxDiffPixels` or `threshold` to allow small differences.'

/** The report of a mismatch. Writes the expected and the actual picture and their difference. */
export function differs(
  comparison: Comparison,
  seen: Seen<unknown, unknown>,
  { picture: actual, difference, expected }: Attempt,
): () => Report {
  const { picture } = difference
  const { vm } = comparison
  const written = {
    expected: write(vm, expected.path, 'expected', expected.bytes),
    actual: write(vm, expected.path, 'actual', actual),
    difference: picture && write(vm, expected.path, 'difference', picture()),
  }
  const what = `${outcomeOf(comparison, seen)}: ${measured(difference)}`
  return () => ({ what, hint: MISMATCH_HINT, sections: { Pictures: listed(written), ...incidentOf(comparison) } })
}

/** The report of a missing screenshot. Writes the actual picture. */
export function nothingKept(comparison: Comparison, actual: Uint8Array): () => Report {
  const what = `There is no screenshot to compare the screen of "${comparison.vm.name}" with, and this run does not write screenshots (as in CI)`
  const hint = 'Run the test once outside of CI, or with `-u`, check the file that it writes, and commit it.'
  const [path = ''] = comparison.paths
  const written = { missing: path, actual: write(comparison.vm, path, 'actual', actual) }
  return () => ({ what, hint, sections: { Pictures: listed(written) } })
}

/** The report that no screenshot could be taken. */
export function nothingSeen(comparison: Comparison, { error }: Seen<unknown, unknown>): Report {
  const { vm, window } = comparison
  if (error !== undefined)
    return { what: `No screenshot of "${vm.name}" could be taken: ${error.shortMessage}`, hint: error.hint }
  const what = `QEMU took no screenshot of "${vm.name}" within ${time(comparison)}`
  return {
    what: cutNote(window, vm) + what,
    hint: 'Raise the `timeout` of the matcher or of the test.',
  }
}

/** The report that the screenshot matched, for `.not`. */
export function isShown({ vm, paths }: Comparison): Report {
  const what = `The screen of "${vm.name}" matches the screenshot`
  return {
    what,
    hint: 'The screenshot must not match at any time within the `timeout`.',
    sections: { Pictures: listed({ expected: paths.join(', ') }) },
  }
}

function outcomeOf(comparison: Comparison, { error }: Seen<unknown, unknown>): string {
  const { vm, window } = comparison
  const [incident] = vm.incidents.filter(({ allowed }) => !allowed)
  if (error !== undefined) return `"${vm.name}" ended before its screen matched the screenshot`
  if (incident !== undefined)
    return `"${vm.name}" failed before its screen matched the screenshot (${incident.message})`
  return `${cutNote(window, vm)}The screen of "${vm.name}" did not match the screenshot within ${time(comparison)}`
}

function incidentOf({ vm }: Comparison): Report['sections'] {
  const incident = vm.incidents.find(({ allowed }) => !allowed)
  return incident && incidentSections(vm, incident)
}

function measured({ expected, actual, pixels, box }: Difference): string {
  if (box === undefined) {
    return `its size is ${actual.width} × ${actual.height} pixels, not ${expected.width} × ${expected.height}`
  }
  const all = expected.width * expected.height
  const where = `in a box of ${box.width} × ${box.height} at x ${box.x}, y ${box.y}`
  return `${pixels.toLocaleString('en')} of ${all.toLocaleString('en')} pixels differ, ${where}`
}

function time({ vm, window }: Comparison): string {
  return formatDuration(window.granted * vm.spec.timeoutMultiplier)
}

/** Writes a picture beside the machine's log, or beside the screenshot if there is no log. @returns its path */
function write(vm: MatcherVM, path: string, what: string, picture: Uint8Array): string {
  const directory = vm.spec.logFile === undefined ? join(dirname(path), 'failed') : dirname(vm.logFile)
  const file = join(directory, `${basename(path, '.png')}.${what}.png`)
  // Private, like the log.
  writePicture(file, picture, 0o600)
  return file
}

function listed(pictures: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(pictures).flatMap(([what, path]) => (path === undefined ? [] : [`${what}: ${path}`]))
  return lines.join('\n')
}
