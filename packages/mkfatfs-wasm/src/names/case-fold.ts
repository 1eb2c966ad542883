/** Case folding of names. FAT compares without case, one UTF-16 unit at a time. */

const ASCII = /^[\0-\x7f]*$/

/** The same text for all names that FAT readers consider equal. */
export function foldCase(name: string): string {
  if (ASCII.test(name)) return name.toUpperCase()
  let folded = ''
  for (let index = 0; index < name.length; index++) folded += foldUnit(name.charAt(index))
  return folded
}

/** Upper, lower, upper: so letters with two lower-case forms (`σ ς`) and letters without a single capital match. */
function foldUnit(unit: string): string {
  return upper(lower(upper(unit)))
}

/** A unit whose other case takes several units stays as it is: FAT maps one unit to one. */
function upper(unit: string): string {
  const mapped = unit.toUpperCase()
  return mapped.length === 1 ? mapped : unit
}

function lower(unit: string): string {
  const mapped = unit.toLowerCase()
  return mapped.length === 1 ? mapped : unit
}
