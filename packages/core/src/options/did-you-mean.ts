/** Suggests a known name for an unknown one. */
import { closestMatch } from 'leven'

/** Most edits between two similar names, and fewest letters of a name that is part of the other. */
const [MOST_EDITS, LEAST_PART] = [3, 4]

/** End of a message about an unknown name, such as "; did you mean `kernel`?"; empty if no known name is similar. */
export function didYouMean(name: string, known: readonly string[]): string {
  // Short names are similar to many others, so fewer edits are allowed.
  const maxDistance = Math.min(MOST_EDITS, Math.round(name.length / 3))
  const nearest = closestMatch(name, [...known], { maxDistance }) ?? known.find((other) => isPart(name, other))
  return nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
}

/** Whether one name contains the other: `guestPort` and `guest`. */
function isPart(name: string, other: string): boolean {
  const [short = '', long = ''] = [name.toLowerCase(), other.toLowerCase()].toSorted((a, b) => a.length - b.length)
  return short.length >= LEAST_PART && long.includes(short)
}
