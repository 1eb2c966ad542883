/** Reads files of a machine up to a size limit. Any file may be missing or incomplete if its worker was killed. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

/** The end of a file. */
export interface FileTail {
  readonly text: string
  /** Number of bytes before it. */
  readonly cut: number
}

/**
 * Reads the end of a file, from the start of a line.
 * @param limit bytes
 * @returns undefined if the file does not exist
 */
export function readTail(path: string, limit: number): FileTail | undefined {
  const range = readRange(path, (size) => [Math.max(0, size - limit), size])
  if (range === undefined) return undefined
  const { content, start } = range
  const line = start === 0 ? 0 : content.indexOf(0x0a) + 1
  return { text: new StringDecoder('utf8').end(content.subarray(line)), cut: start + line }
}

/** Reads a small file; returns undefined if it does not exist or exceeds the limit. */
export function readWhole(path: string, limit: number): Buffer | undefined {
  const range = readRange(path, (size) => (size > limit ? undefined : [0, size]))
  return range?.content
}

/** Reads the first line of a file, up to the limit. */
export function readFirstLine(path: string, limit: number): string {
  const range = readRange(path, (size) => [0, Math.min(size, limit)])
  return range?.content.toString().split('\n', 1)[0] ?? ''
}

/** Reads a file with one JSON object per line. Skips other lines. */
export function readObjects(path: string, limit: number): { objects: Record<string, unknown>[]; cut: number } {
  const { text = '', cut = 0 } = readTail(path, limit) ?? {}
  return { objects: text.split('\n').map(valueOf).filter(isObject), cut }
}

/** Parses a JSON object; returns undefined for other text. */
export function objectOf(json: string): Record<string, unknown> | undefined {
  const value = valueOf(json)
  return isObject(value) ? value : undefined
}

/** Parses JSON; returns undefined for other text. */
export function valueOf(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

type Range = readonly [start: number, end: number]

function readRange(
  path: string,
  rangeOf: (size: number) => Range | undefined,
): { readonly content: Buffer; readonly start: number } | undefined {
  let file: number
  try {
    // Does not block if the path is a pipe without a writer.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch {
    return undefined
  }
  try {
    const stats = fstatSync(file)
    const range = stats.isFile() ? rangeOf(stats.size) : undefined
    if (range === undefined) return undefined
    const [start, end] = range
    const content = Buffer.alloc(end - start)
    const length = readSync(file, content, 0, content.length, start)
    return { content: content.subarray(0, length), start }
  } finally {
    closeSync(file)
  }
}
