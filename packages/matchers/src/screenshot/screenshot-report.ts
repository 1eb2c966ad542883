/** The words, and the pictures, of a screen that does not show what it is to show. */
import { basename, dirname, join } from 'node:path'
import type { Report } from '../awaited-matcher.ts'
import { incidentSections } from '../incident-sections.ts'
import { cutNote, seconds } from '../wait-window.ts'
import { writePicture } from './baseline.ts'
import type { Attempt } from './closest.ts'
import type { Comparison } from './comparison.ts'
import type { Difference } from './picture.ts'
import type { Seen } from './screen-watch.ts'

const MISMATCH_HINT =
  'Look at the pictures. Where the change is right, update the one that is kept (`-u`). What differs each time is left out with `mask`; `maxDiffPixels` and `threshold` let small differences pass.'

/** A report of another picture. Writes what was expected, what there was, and the difference. */
export function differs(
  comparison: Comparison,
  seen: Seen<unknown>,
  expected: Uint8Array,
  { picture: actual, difference }: Attempt,
): () => Report {
  const { picture } = difference
  const written = {
    expected: write(comparison, 'expected', expected),
    actual: write(comparison, 'actual', actual),
    difference: picture && write(comparison, 'difference', picture()),
  }
  const what = `${outcomeOf(comparison, seen)}: ${measured(difference)}`
  return () => ({ what, hint: MISMATCH_HINT, sections: { Pictures: listed(written), ...incidentOf(comparison) } })
}

/** A report that nothing is kept to compare with. Writes what there was. */
export function nothingKept(comparison: Comparison, actual: Uint8Array): () => Report {
  const what = `There is no picture to compare the screen of "${comparison.vm.name}" with, and this run writes none, as in CI`
  const hint = 'Run the test once outside of CI, or with `-u`, look at the file that it writes, and keep it.'
  const written = { 'to be kept as': comparison.path, actual: write(comparison, 'actual', actual) }
  return () => ({ what, hint, sections: { Pictures: listed(written) } })
}

/** A report that there was no picture at all. */
export function nothingSeen(comparison: Comparison, { error }: Seen<unknown>): Report {
  const { vm, window } = comparison
  if (error !== undefined)
    return { what: `The screen of "${vm.name}" could not be seen: ${error.shortMessage}`, hint: error.hint }
  const what = `QEMU gave no picture of the screen of "${vm.name}" within ${time(comparison)}`
  return {
    what: cutNote(window, vm) + what,
    hint: 'Give the matcher a longer `timeout`, or the test a longer `timeout`.',
  }
}

/** A report that the picture is shown. */
export function isShown({ vm, path }: Comparison): Report {
  const what = `"${vm.name}" shows the picture that it is not to show`
  return {
    what,
    hint: 'It came within the window in which it must not.',
    sections: { Pictures: listed({ expected: path }) },
  }
}

function outcomeOf(comparison: Comparison, { error }: Seen<unknown>): string {
  const { vm, window } = comparison
  const [incident] = vm.incidents.filter(({ allowed }) => !allowed)
  if (error !== undefined) return `"${vm.name}" ended before it showed the picture`
  if (incident !== undefined) return `"${vm.name}" failed before it showed the picture (${incident.message})`
  return `${cutNote(window, vm)}"${vm.name}" did not show the picture within ${time(comparison)}`
}

function incidentOf({ vm }: Comparison): Report['sections'] {
  const incident = vm.incidents.find(({ allowed }) => !allowed)
  return incident && incidentSections(vm, incident)
}

function measured({ expected, actual, pixels, box }: Difference): string {
  if (box === undefined) {
    return `it is ${actual.width} × ${actual.height} pixels large, not ${expected.width} × ${expected.height}`
  }
  const all = expected.width * expected.height
  const where = `in a box of ${box.width} × ${box.height} at x ${box.x}, y ${box.y}`
  return `${pixels.toLocaleString('en')} of ${all.toLocaleString('en')} pixels differ, ${where}`
}

function time({ vm, window }: Comparison): string {
  return seconds(window.granted * vm.spec.timeoutMultiplier)
}

/** Beside the machine’s log where the test keeps that, else beside the picture. */
function write({ vm, path }: Comparison, what: string, picture: Uint8Array): string {
  const directory = vm.spec.logFile === undefined ? join(dirname(path), 'failed') : dirname(vm.logFile)
  const file = join(directory, `${basename(path, '.png')}.${what}.png`)
  // As the log beside it.
  writePicture(file, picture, 0o600)
  return file
}

function listed(pictures: Readonly<Record<string, string | undefined>>): string {
  const lines = Object.entries(pictures).flatMap(([what, path]) => (path === undefined ? [] : [`${what}: ${path}`]))
  return lines.join('\n')
}
