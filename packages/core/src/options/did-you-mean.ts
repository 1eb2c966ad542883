/** Suggests a known name for an unknown one. */
import { closestMatch } from 'leven'

/** Most edits between two similar names, and fewest letters of a name that is part of the other. */
const [MOST_EDITS, LEAST_PART] = [3, 4]

/**
 * End of a message about an unknown name, such as "; did you mean `kernel`?"; empty if no known name is similar.
 * @param aliases other names → the known name
 */
export function didYouMean(
  name: string,
  known: readonly string[],
  aliases: Readonly<Record<string, string>> = {},
): string {
  const alias = name.toLowerCase()
  const nearest = Object.hasOwn(aliases, alias) ? aliases[alias] : nearestOf(name, known)
  return nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
}

function nearestOf(name: string, known: readonly string[]): string | undefined {
  // Short names are similar to many others, so fewer edits are allowed.
  const maxDistance = Math.min(MOST_EDITS, Math.round(name.length / 3))
  return closestMatch(name, [...known], { maxDistance }) ?? known.find((other) => isPart(name, other))
}

/** Whether one name contains the other: `guestPort` and `guest`. */
function isPart(name: string, other: string): boolean {
  const [short = '', long = ''] = [name.toLowerCase(), other.toLowerCase()].toSorted((a, b) => a.length - b.length)
  return short.length >= LEAST_PART && long.includes(short)
}
