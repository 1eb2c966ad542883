/** The end of a machine's console, for reports that are text. */
import { join } from 'node:path'
import { readTail } from '../page/bounded-file.ts'
import { formatText } from '../page/format-text.ts'

/** Bytes that are looked at. */
const LIMIT = 16 * 1024

/**
 * The last lines of what a machine printed, without colours.
 * @param directory the machine's folder
 * @returns empty when it printed nothing
 */
export function consoleEnd(directory: string, lines: number): string {
  const log = readTail(join(directory, 'console.log'), LIMIT)
  return formatText(log?.text.replace(/\r+\n/g, '\n') ?? '')
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
    .slice(-lines)
    .join('\n')
}
