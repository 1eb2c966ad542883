/** Hex dumps of two byte sequences around their first difference. */

const LINE = 16
/** Number of lines, and how many of them precede the first difference. */
const LINES = 16
const BEFORE = 2

/** Both contents as lines of sixteen bytes, starting shortly before the first difference. */
export function hexDumps(first: Uint8Array, second: Uint8Array): readonly [string, string] {
  const at = firstDifference(first, second)
  const start = Math.max(0, Math.floor(at / LINE) - BEFORE) * LINE
  return [dump(first, start), dump(second, start)]
}

/** Offset of the first difference; the length of the shorter content if the longer one starts with it. */
export function firstDifference(first: Uint8Array, second: Uint8Array): number {
  const shorter = Math.min(first.length, second.length)
  for (let at = 0; at < shorter; at++) if (first[at] !== second[at]) return at
  return shorter
}

function dump(bytes: Uint8Array, start: number): string {
  const lines = []
  for (let at = start; at < Math.min(bytes.length, start + LINES * LINE); at += LINE) {
    const part = Buffer.from(bytes.subarray(at, at + LINE))
    const hex = part.toString('hex').replace(/..(?=.)/g, '$& ')
    const text = part.toString('latin1').replace(/[^ -~]/g, '.')
    lines.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(LINE * 3 - 1)}  ${text}`)
  }
  return lines.join('\n')
}
