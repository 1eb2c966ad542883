/** Suggests the name that was probably meant. */
import { closestMatch } from 'leven'

/** Most edits between two names, and fewest letters of a name that is part of another. */
const [MOST_EDITS, LEAST_PART] = [3, 4]

/** Text for the end of a message about an unknown name, such as "; did you mean `kernel`?"; empty if none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  // Short names are near to many others.
  const maxDistance = Math.min(MOST_EDITS, Math.floor(name.length / 2))
  const nearest = closestMatch(name, [...known], { maxDistance }) ?? known.find((other) => isPart(name, other))
  return nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
}

/** Whether one name contains the other: `guestPort` and `guest`. */
function isPart(name: string, other: string): boolean {
  const [short = '', long = ''] = [name.toLowerCase(), other.toLowerCase()].toSorted((a, b) => a.length - b.length)
  return short.length >= LEAST_PART && long.includes(short)
}
