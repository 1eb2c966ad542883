/** Case folding of names. FAT ignores case when it compares names, and compares single UTF-16 units. */

const ASCII = /^[\0-\x7f]*$/

/** Returns the same text for all names that FAT readers consider equal. */
export function foldCase(name: string): string {
  if (ASCII.test(name)) return name.toUpperCase()
  let folded = ''
  for (let index = 0; index < name.length; index++) folded += foldUnit(name.charAt(index))
  return folded
}

/** Converts to upper, lower and upper case, so that letters with several lower-case or upper-case forms match (`σ ς`). */
function foldUnit(unit: string): string {
  return upper(lower(upper(unit)))
}

/** Keeps a unit whose upper case has several units, because FAT maps one unit to one unit. */
function upper(unit: string): string {
  const mapped = unit.toUpperCase()
  return mapped.length === 1 ? mapped : unit
}

function lower(unit: string): string {
  const mapped = unit.toLowerCase()
  return mapped.length === 1 ? mapped : unit
}
