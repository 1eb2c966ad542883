/** Lines for a file that may have so many bytes. */

/**
 * All lines, or of too many the first and the last ones, with a line between that says so.
 *
 * @param lines without their ends
 * @param note makes that line, from the number of lines left out and the number of those before them
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

/** How many of the first sizes fit. */
function fitting(sizes: readonly number[], room: number): number {
  let used = 0
  const over = sizes.findIndex((size) => {
    used += size
    return used > room
  })
  return over < 0 ? sizes.length : over
}
