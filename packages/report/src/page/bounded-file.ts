/** Files of a machine, read as far as a page has room for them. A killed worker may have left any of them out, or half written. */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { StringDecoder } from 'node:string_decoder'

/** The end of a file. */
export interface FileTail {
  readonly text: string
  /** Bytes before it that were left out. */
  readonly cut: number
}

/**
 * The last bytes of a file, from the beginning of a line on.
 * @param limit bytes
 * @returns undefined when there is no such file
 */
export function readTail(path: string, limit: number): FileTail | undefined {
  const range = readRange(path, (size) => [Math.max(0, size - limit), size])
  if (range === undefined) return undefined
  const { content, start } = range
  const line = start === 0 ? 0 : content.indexOf(0x0a) + 1
  return { text: new StringDecoder('utf8').end(content.subarray(line)), cut: start + line }
}

/** A small file; undefined when there is none, or when it is larger than that. */
export function readWhole(path: string, limit: number): Buffer | undefined {
  const range = readRange(path, (size) => (size > limit ? undefined : [0, size]))
  return range?.content
}

/** The first line of a file, as far as it is no longer than the limit. */
export function readFirstLine(path: string, limit: number): string {
  const range = readRange(path, (size) => [0, Math.min(size, limit)])
  return range?.content.toString().split('\n', 1)[0] ?? ''
}

/** The objects of a file that has one on each line; lines that are none are left out. */
export function readObjects(path: string, limit: number): { objects: Record<string, unknown>[]; cut: number } {
  const { text = '', cut = 0 } = readTail(path, limit) ?? {}
  return { objects: text.split('\n').map(valueOf).filter(isObject), cut }
}

/** What JSON text says, when it is an object. */
export function objectOf(json: string): Record<string, unknown> | undefined {
  const value = valueOf(json)
  return isObject(value) ? value : undefined
}

/** What JSON text says; undefined when it is none. */
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
    // Without waiting for a writer, should it be a pipe.
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
