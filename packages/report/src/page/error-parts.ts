/** An error’s message, taken apart along the layout of this project’s errors: sentences, then sections with a title. */
import type { ErrorReport } from '../run-report.ts'
import { shownText } from './shown-text.ts'

/** What a message says. */
export interface ErrorParts {
  /** The first sentence. */
  readonly headline: string
  /** What follows it, in its own lines. */
  readonly text: string
  readonly sections: readonly { readonly title: string; readonly body: string }[]
}

/** Shown with the machine itself, where there is one. */
const REPEATED = /^(?:Command line|Log)(?: of ".*")?$/

/** @param withMachines whether the page shows the machines below the error */
export function errorParts(error: ErrorReport, withMachines: boolean): ErrorParts {
  const [first = '', ...blocks] = shownText(error.message)
    .trim()
    .split(/\n\n+(?=\S)/)
  const sections: { title: string; body: string }[] = []
  const text: string[] = []
  for (const block of blocks) {
    const [, title, body] = /^(\S[^\n]*):\n((?: {2}.*(?:\n|$)|\n)+)$/.exec(block) ?? []
    if (title === undefined || body === undefined) text.push(block)
    else sections.push({ title, body: body.replace(/^ {2}/gm, '').trimEnd() })
  }
  const [headline = '', ...rest] = first.split('\n')
  return {
    headline: headline || error.name,
    text: [rest.join('\n'), ...text].filter(Boolean).join('\n\n'),
    sections: sections.filter(({ title }) => !(withMachines && REPEATED.test(title))),
  }
}
