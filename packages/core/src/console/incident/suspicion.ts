/**
 * Whether a piece of output has anything worth a closer look, at the speed of reading it. An incident's line begins with one
 * of a few texts, at the start of the line or right behind the kernel's stamp; a crash of init has its process number there, which is 1; others have a text further on.
 */
import { INCIDENT_KINDS } from './incident-kinds.ts'

/** Longer than any of the texts: as much of the piece before must be looked at again. */
export const OVERLAP = 64

const BEGINNINGS = INCIDENT_KINDS.flatMap(({ begins }) => begins)
const INSIDE = INCIDENT_KINDS.flatMap(({ has }) => has ?? [])

/** The texts by their first character's code. */
const BY_FIRST: readonly (readonly string[] | undefined)[] = Array.from({ length: 128 }, (_, code) => {
  const texts = BEGINNINGS.filter((text) => text.charCodeAt(0) === code)
  return texts.length === 0 ? undefined : texts
})

const LEVEL = 0x3c

/** @param from where to begin; what is there counts as the start of a line */
export function isSuspicious(text: string, from: number): boolean {
  return (
    beginsLineAt(text, from) ||
    isAfter(text, from, '\n', (at) => beginsLineAt(text, at + 1)) ||
    isAfter(text, from, '\r', (at) => beginsLineAt(text, at + 1)) ||
    // The end of a stamp, or of the pid of a task that crashed, of which only init's is of interest.
    isAfter(text, from, ']', (at) => beginsAt(text, at + 2) || text.startsWith('[1', at - 2)) ||
    INSIDE.some((part) => text.includes(part, from))
  )
}

/** Whether `test` holds at any place of `character`. The search for it is the engine's own, and skips fast. */
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
