import { dirname, join } from 'node:path'
import { ColdbootError, type ConsoleTerminal, OptionError, type Screen, type ScreenTextOptions } from '@coldboot/core'
import { formatDuration, machineShownBy } from '@coldboot/core/internal'
import { awaitedMatcher, type Report, type Verdict } from './awaited-matcher.ts'
import { formatValue } from './format-call.ts'
import { incidentSections } from './incident-sections.ts'
import type { MatcherContext, MatcherResult } from './matcher-context.ts'
import type { MatcherVM } from './matcher-vm.ts'
import { checkOptionNames } from './option-names.ts'
import { type Seen, watchScreen } from './screen-watch.ts'
import { writePicture } from './screenshot/baseline.ts'
import { isText, matchesText, type Text } from './text-pattern.ts'
import { cutNote, type WaitWindow, type WindowOptions, waitWindow } from './wait-window.ts'

/** Options of `toShowText`. `font` and `ocr` are those of `display.text()`. */
export interface ShowTextOptions extends WindowOptions, ScreenTextOptions {}

/** The screen of a machine, or the terminal on its console. */
type Shown = Pick<ConsoleTerminal, 'text'> | Pick<Screen, 'text' | 'screenshot'>

/** One reading of the text. */
interface Reading {
  readonly text: string
  /** The error if the text could not be read. */
  readonly unreadable: ColdbootError | undefined
}

interface Wait {
  readonly vm: MatcherVM
  readonly shown: Shown
  readonly pattern: Text
  readonly window: WaitWindow
}

/** Waits until a screen or a terminal shows a text; with `.not`, checks that it does not show it in the whole window. */
export function toShowText(
  this: MatcherContext,
  received: unknown,
  pattern: Text,
  options: ShowTextOptions = {},
): Promise<MatcherResult> {
  const vm = machineShownBy(received)
  if (vm === undefined) {
    throw new OptionError('INVALID_OPTION', `expect(…).toShowText() takes a screen, but got ${formatValue(received)}`, {
      hint: 'Pass a `display()` of the machine, or `vm.terminal`.',
    })
  }
  return awaitedMatcher(this, 'toShowText', vm, [pattern, options], (machine) =>
    judge(this, machine, received as Shown, pattern, options),
  )
}

async function judge(
  context: MatcherContext,
  vm: MatcherVM,
  shown: Shown,
  pattern: Text,
  options: ShowTextOptions,
): Promise<Verdict> {
  checkOptionNames('toShowText', options, 'screenshot' in shown ? ['timeout', 'font', 'ocr'] : ['timeout'])
  if (!isText(pattern) || pattern === '') {
    throw new OptionError(
      'INVALID_OPTION',
      `toShowText: the text must be a string that is not empty or a regular expression, and is ${formatValue(pattern)}`,
    )
  }
  const { timeout, ...textOptions } = options
  const window = waitWindow(context, vm, timeout)
  const wait: Wait = { vm, shown, pattern, window }
  const seen = await watchScreen({
    vm,
    window,
    take: () => read(shown, textOptions),
    look: (reading) => (matchesText(pattern, reading.text) ? reading : undefined),
  })
  if (seen.found !== undefined) return { pass: true, report: () => isShown(wait, seen) }
  if (context.isNot && seen.last === undefined && seen.error !== undefined) throw seen.error
  const picture = context.isNot ? undefined : await pictureOf(wait)
  return { pass: false, report: () => isMissing(wait, seen, picture) }
}

async function read(shown: Shown, options: ScreenTextOptions): Promise<Reading> {
  try {
    const text = await ('screenshot' in shown ? shown.text(options) : shown.text())
    return { text, unreadable: undefined }
  } catch (error) {
    if (!ColdbootError.is(error) || error.code !== 'SCREEN_UNREADABLE') throw error
    return { text: '', unreadable: error }
  }
}

function isShown({ vm, pattern }: Wait, { last }: Seen<Reading, Reading>): Report {
  const what = `The screen of "${vm.name}" shows ${formatValue(pattern)}`
  const hint = 'It must not show the text at any time within the `timeout`.'
  return { what, hint, sections: { Screen: last?.text } }
}

function isMissing({ vm, pattern, window }: Wait, { last, error }: Seen<Reading, Reading>, picture?: string): Report {
  const incident = vm.incidents.find(({ allowed }) => !allowed)
  const expected = formatValue(pattern)
  const waited = formatDuration(window.granted * vm.spec.timeoutMultiplier)
  const what =
    error !== undefined
      ? `"${vm.name}" ended before its screen showed ${expected}`
      : incident !== undefined
        ? `"${vm.name}" failed before its screen showed ${expected} (${incident.message})`
        : `${cutNote(window, vm)}The screen of "${vm.name}" did not show ${expected} within ${waited}`
  const { unreadable } = last ?? {}
  const hint = unreadable?.hint ?? 'Compare the text with that of the screen. Raise `timeout` if it was still changing.'
  const text = unreadable?.shortMessage ?? (last?.text === '' ? '(empty)' : last?.text)
  return { what, hint, sections: { Screen: text, Picture: picture, ...(incident && incidentSections(vm, incident)) } }
}

/** Writes a picture of the screen beside the log of the machine. @returns its path; undefined if there is none */
async function pictureOf({ vm, shown }: Wait): Promise<string | undefined> {
  if (!('screenshot' in shown) || vm.spec.logFile === undefined) return undefined
  try {
    const path = join(dirname(vm.logFile), 'screen-without-text.png')
    // Private, like the log.
    writePicture(path, await shown.screenshot(), 0o600)
    return path
  } catch {
    // The machine has ended.
    return undefined
  }
}
