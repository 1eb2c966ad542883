/** An error's message, taken apart along the layout of this project's errors: sentences, then sections with a title. */
import type { ErrorReport } from '../run-report.ts'
import { formatText } from './format-text.ts'

/** What an error says. */
export interface ErrorParts {
  /** The first sentence. */
  readonly headline: string
  /** What follows it, in its own lines. */
  readonly text: string
  /** The difference between what was expected and what was received; empty when there is none. */
  readonly difference: string
  readonly sections: readonly Section[]
}

/** A titled part. */
export interface Section {
  readonly title: string
  readonly body: string
}

/** Shown with the machine itself, where there is one. */
const REPEATED = /^(?:Command line|Log)(?: of ".*")?$/

/** @param withMachines whether the page shows the machines below the error */
export function errorParts(error: ErrorReport, withMachines: boolean): ErrorParts {
  const message = taken(error.message)
  // What is told of the machines stands below the difference, where there is one.
  const diff = taken(error.diff ?? '')
  const [headline = '', ...rest] = message.text.split('\n')
  return {
    headline: headline || error.name,
    text: rest.join('\n').trim(),
    difference: diff.text,
    sections: [...message.sections, ...diff.sections].filter(({ title }) => !(withMachines && REPEATED.test(title))),
  }
}

function taken(whole: string): { readonly text: string; readonly sections: readonly Section[] } {
  const sections: Section[] = []
  const text = formatText(whole)
    .trim()
    .split(/\n\n+(?=\S)/)
    .filter((block) => {
      const [, title, body] = /^(\S[^\n]*):\n((?: {2}.*(?:\n|$)|\n)+)$/.exec(block) ?? []
      if (title === undefined || body === undefined) return true
      sections.push({ title, body: body.replace(/^ {2}/gm, '').trimEnd() })
      return false
    })
  return { text: text.join('\n\n'), sections }
}
