/** The end of a machine's console, for text reports. */
import { join } from 'node:path'
import { readTail } from '../page/bounded-file.ts'
import { formatText } from '../page/format-text.ts'

/** Bytes to read from the end of the log. */
const LIMIT = 16 * 1024

/**
 * The last lines that a machine printed, without colors.
 * @param directory the machine's folder
 * @returns an empty string if it printed nothing
 */
export function consoleEnd(directory: string, lines: number): string {
  const log = readTail(join(directory, 'console.log'), LIMIT)
  return formatText(log?.text.replace(/\r+\n/g, '\n') ?? '')
    .replace(/^\n+|\s+$/g, '')
    .split('\n')
    .slice(-lines)
    .join('\n')
}
