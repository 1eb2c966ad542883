/**
 * Fast check whether a chunk of output may contain an incident. Most messages start with one of a few texts, at the
 * start of the line or after the time stamp. A crash of init has the pid 1 before its text. Some messages are
 * recognized by a text later in the line.
 */
import { INCIDENT_KINDS } from './incident-kinds.ts'

/** Number of characters of the previous chunk that are searched again. Longer than any of the texts. */
export const OVERLAP = 64

const BEGINNINGS = INCIDENT_KINDS.flatMap(({ begins }) => begins)
const INSIDE = INCIDENT_KINDS.flatMap(({ has }) => has ?? [])

/** The texts, by the code of their first character. */
const BY_FIRST: readonly (readonly string[] | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const texts = BEGINNINGS.filter((text) => text.charCodeAt(0) === code)
  return texts.length === 0 ? undefined : texts
})

const LEVEL = 0x3c

/** Whether a text may contain an incident. @param from start of the search, which counts as the start of a line */
export function isSuspicious(text: string, from: number): boolean {
  return (
    beginsLineAt(text, from) ||
    isAfter(text, from, '\n', (at) => beginsLineAt(text, at + 1)) ||
    isAfter(text, from, '\r', (at) => beginsLineAt(text, at + 1)) ||
    // `]` ends a time stamp, or the pid of a crashed task. Only init, with pid 1, is relevant.
    isAfter(text, from, ']', (at) => beginsAt(text, at + 2) || text.startsWith('[1', at - 2)) ||
    INSIDE.some((part) => text.includes(part, from))
  )
}

/** Whether `test` is true at any occurrence of `character`. Uses `indexOf`, the fastest search. */
function isAfter(text: string, from: number, character: string, test: (at: number) => boolean): boolean {
  for (let at = text.indexOf(character, from); at >= 0; at = text.indexOf(character, at + 1)) {
    if (test(at)) return true
  }
  return false
}

function beginsLineAt(text: string, at: number): boolean {
  return beginsAt(text, text.charCodeAt(at) === LEVEL ? at + 3 : at)
}

function beginsAt(text: string, at: number): boolean {
  const candidates = BY_FIRST[text.charCodeAt(at)]
  if (candidates === undefined) return false
  for (const beginning of candidates) if (text.startsWith(beginning, at)) return true
  return false
}
