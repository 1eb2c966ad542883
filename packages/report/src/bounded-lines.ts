/** Shortens a list of lines to the size limit of a file. */

/**
 * Returns all lines if they fit, else the first and last ones with a note between them.
 *
 * @param lines without line ends
 * @param note creates the note, from the number of omitted lines and the number of lines before them
 */
export function beginningAndEnd(
  lines: readonly string[],
  maxBytes: number,
  note: (leftOut: number, before: number) => string,
): readonly string[] {
  const sizes = lines.map((line) => Buffer.byteLength(line) + 1)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  if (total <= maxBytes) return lines
  const half = (maxBytes - Buffer.byteLength(note(lines.length, lines.length)) - 1) / 2
  const first = fitting(sizes, half)
  const last = fitting(sizes.slice(first).reverse(), half)
  const leftOut = lines.length - first - last
  return [...lines.slice(0, first), note(leftOut, first), ...lines.slice(lines.length - last)]
}

/** Number of leading sizes whose sum fits. */
function fitting(sizes: readonly number[], room: number): number {
  let used = 0
  const over = sizes.findIndex((size) => {
    used += size
    return used > room
  })
  return over < 0 ? sizes.length : over
}
