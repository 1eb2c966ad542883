/** Suggests the name that was probably meant. */
import { closestMatch } from 'leven'

/** Text for the end of a message about an unknown name, such as "; did you mean `kernel`?"; empty if none is near. */
export function didYouMean(name: string, known: readonly string[]): string {
  const nearest = closestMatch(name, [...known], { maxDistance: 3 })
  return nearest === undefined ? '' : `; did you mean \`${nearest}\`?`
}
