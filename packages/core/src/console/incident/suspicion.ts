/**
 * Fast check whether a chunk of output may contain an incident. The line of an incident starts with one of a few texts, at
 * the start of the line or after the time stamp. A crash of init has the process number 1 there. Some have a text further on.
 */
import { INCIDENT_KINDS } from './incident-kinds.ts'

/** Longer than any of the texts: this many characters of the previous chunk are searched again. */
export const OVERLAP = 64

const BEGINNINGS = INCIDENT_KINDS.flatMap(({ begins }) => begins)
const INSIDE = INCIDENT_KINDS.flatMap(({ has }) => has ?? [])

/** The texts by the code of their first character. */
const BY_FIRST: readonly (readonly string[] | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const texts = BEGINNINGS.filter((text) => text.charCodeAt(0) === code)
  return texts.length === 0 ? undefined : texts
})

const LEVEL = 0x3c

/** @param from start of the search, counted as the start of a line */
export function isSuspicious(text: string, from: number): boolean {
  return (
    beginsLineAt(text, from) ||
    isAfter(text, from, '\n', (at) => beginsLineAt(text, at + 1)) ||
    isAfter(text, from, '\r', (at) => beginsLineAt(text, at + 1)) ||
    // The end of a time stamp, or of the pid of a crashed task. Only init, `[1]`, matters.
    isAfter(text, from, ']', (at) => beginsAt(text, at + 2) || text.startsWith('[1', at - 2)) ||
    INSIDE.some((part) => text.includes(part, from))
  )
}

/** Whether `test` holds at any occurrence of `character`. `indexOf` is the fastest search for it. */
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
