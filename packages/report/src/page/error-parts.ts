/** Splits the message of a coldboot error into its sentences and its titled sections. */
import type { ErrorReport } from '../run-report.ts'
import { formatText } from './format-text.ts'

/** The parts of an error. */
export interface ErrorParts {
  /** The first sentence. */
  readonly headline: string
  /** The lines after the headline. */
  readonly text: string
  /** Difference between the expected and the received value; empty without one. */
  readonly difference: string
  readonly sections: readonly Section[]
}

/** A titled part. */
export interface Section {
  readonly title: string
  readonly body: string
}

/** Splits the message of an error. */
export function errorParts(error: ErrorReport): ErrorParts {
  const message = split(error.message)
  // If the error has a diff, the sections of the machines are appended to it.
  const diff = split(error.diff ?? '')
  const [headline = '', ...rest] = message.text.split('\n')
  return {
    headline: headline || error.name,
    text: rest.join('\n').trim(),
    difference: diff.text,
    sections: [...message.sections, ...diff.sections],
  }
}

function split(whole: string): { readonly text: string; readonly sections: readonly Section[] } {
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
