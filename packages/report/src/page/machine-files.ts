/**
 * Reads the folder of a machine for the page. Skips missing, incomplete and invalid files, because a killed worker may
 * have left them.
 */

import { readdirSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { formatDuration } from '@coldboot/core/internal'
import { FILM_DIRECTORY, FILM_FILE } from '../film.ts'
import { type FileTail, isObject, objectOf, readObjects, readTail, readWhole } from './bounded-file.ts'
import { type ConsoleReplay, readReplay } from './console-replay.ts'

/** The parts of a machine that the page shows. */
export interface MachineFiles {
  readonly directory: string
  readonly name: string
  /** Facts from `meta.json`, such as architecture, accelerator and memory. */
  readonly facts: readonly (readonly [title: string, value: string])[]
  /** Missing and incomplete files, with the reason. */
  readonly cut: readonly (readonly [file: string, why: string])[]
  readonly commandLine: string | undefined
  readonly replay: ConsoleReplay | undefined
  readonly lines: readonly ConsoleLine[]
  /** Bytes of the console that were omitted before the first line. */
  readonly linesCut: number
  readonly steps: readonly MachineStep[]
  readonly qmp: readonly QmpLine[]
  /** PNG files: screenshots such as `screen.png`, and those of `toMatchScreenshot` such as `<name>.expected.png`. */
  readonly screens: readonly { readonly name: string; readonly png: Buffer }[]
  /** Frames of the film, oldest first. If there are too many, only the last ones. */
  readonly film: readonly Frame[]
  readonly files: readonly { readonly name: string; readonly bytes: number }[]
}

/** A frame of the film of a display. */
export interface Frame {
  /** Seconds since the start of the machine. */
  readonly time: number
  /** Number of the display, from 1. */
  readonly display: number
  /** File name of its picture. Several frames may share it. */
  readonly file: string
  readonly png: Buffer
}

/** A line of the console. */
export interface ConsoleLine {
  /** Seconds since the start of the machine; undefined if unknown. */
  readonly time: number | undefined
  readonly text: string
}

/** An event of the machine: a line of `timeline.jsonl`. */
export interface MachineStep {
  /** Seconds since the machine's start. */
  readonly time: number
  /** See `TimelineEntry`. */
  readonly kind: string
  readonly text: string
  /** Links the steps that start and end an action. */
  readonly id?: string | undefined
  /** Pattern of a wait. */
  readonly pattern?: string | undefined
  readonly duration?: number | undefined
  /** Whether the outcome is the one that the test expects. */
  readonly ok?: boolean | undefined
  /** `file:line:column` in the test. */
  readonly location?: string | undefined
}

/** A QMP message. */
export interface QmpLine {
  readonly time: number
  readonly direction: 'sent' | 'received'
  readonly message: Readonly<Record<string, unknown>>
}

/** Maximum number of bytes read from each file. */
const LIMITS = { lines: 256 * 1024, steps: 512 * 1024, qmp: 256 * 1024, screen: 2 * 1024 * 1024, small: 256 * 1024 }

/** Screenshots at the end of a test, and the pictures of `toMatchScreenshot`. */
const PICTURE = /^screen(-\d+)?\.png$|\.(?:expected|actual|difference)\.png$/

/** @param directory the machine's folder, absolute */
export function readMachine(directory: string): MachineFiles {
  const path = (name: string): string => join(directory, name)
  const meta = objectOf(readWhole(path('meta.json'), LIMITS.small)?.toString() ?? '') ?? {}
  const text = readTail(path('console.txt'), LIMITS.lines)
  const raw = text ? undefined : readTail(path('console.log'), LIMITS.lines)
  const script = readWhole(path('command-line.sh'), LIMITS.small)?.toString()
  const { name, commandLine } = meta
  const files = filesIn(directory)
  return {
    directory,
    name: typeof name === 'string' ? name : basename(directory),
    facts: factsOf(meta),
    cut: isObject(meta['cut'])
      ? Object.entries(meta['cut']).map(([file, why]) => [file, wordsOf(why) ?? ''] as const)
      : [],
    commandLine: typeof commandLine === 'string' ? commandLine : script,
    replay: readReplay(path('console.cast')),
    lines: linesOf(text)
      .map(datedLine)
      .concat(linesOf(raw).map((line) => ({ time: undefined, text: line }))),
    linesCut: text?.cut ?? raw?.cut ?? 0,
    steps: readObjects(path('timeline.jsonl'), LIMITS.steps).objects.flatMap((step) => stepOf(step) ?? []),
    qmp: readObjects(path('qmp.jsonl'), LIMITS.qmp).objects.flatMap((line) => qmpOf(line) ?? []),
    screens: files.flatMap(({ name }) => {
      const png = PICTURE.test(name) ? pngOf(readWhole(path(name), LIMITS.screen)) : undefined
      return png ? [{ name, png }] : []
    }),
    film: framesIn(directory),
    files,
  }
}

/** Limit of all shown frames together, bytes. */
const FILM_LIMIT = 8 * 1024 * 1024

function framesIn(directory: string): readonly Frame[] {
  const listed = readObjects(join(directory, FILM_FILE), LIMITS.small).objects
  const frames: Frame[] = []
  const pictures = new Map<string, Buffer>()
  let bytes = 0
  for (const { time, display, file } of listed.toReversed()) {
    if (typeof time !== 'number' || typeof display !== 'number') continue
    if (typeof file !== 'string' || !/^\d{6}\.png$/.test(file)) continue
    const known = pictures.get(file)
    const png = known ?? pngOf(readWhole(join(directory, FILM_DIRECTORY, file), LIMITS.screen))
    if (png === undefined) continue
    if (known === undefined) bytes += png.length
    if (bytes > FILM_LIMIT) break
    pictures.set(file, png)
    frames.push({ time, display, file, png })
  }
  return frames.toReversed()
}

/** Keys of `meta.json` to show, in this order. */
const FACTS = {
  arch: 'Architecture',
  accelerator: 'Accelerator',
  memory: 'Memory',
  cpus: 'CPUs',
  kernel: 'Kernel',
  qemuVersion: 'QEMU',
  start: 'Start',
  duration: 'Lifetime',
  exit: 'End',
}

function factsOf(meta: Record<string, unknown>): MachineFiles['facts'] {
  return Object.entries(FACTS).flatMap(([key, title]) => {
    const value = (FORMATS[key] ?? wordsOf)(meta[key])
    return value === undefined ? [] : [[title, value] as const]
  })
}

/** File name of a kernel image if it contains a version, such as `vmlinuz-6.1.0-57-amd64`; else its path. */
function kernelOf(path: unknown): string | undefined {
  return typeof path === 'string' ? (/\/(vmlinu[xz]-\d[^/]*)$/.exec(path)?.[1] ?? path) : undefined
}

const FORMATS: Readonly<Record<string, (value: unknown) => string | undefined>> = {
  duration: durationOf,
  kernel: kernelOf,
}

function durationOf(value: unknown): string | undefined {
  return typeof value === 'number' ? formatDuration(value) : undefined
}

function wordsOf(value: unknown): string | undefined {
  if (typeof value === 'string' || typeof value === 'number') return String(value)
  if (!isObject(value)) return undefined
  const words = Object.entries(value).flatMap(([key, part]) => {
    const word = wordsOf(part)
    return word === undefined ? [] : [`${key} ${word}`]
  })
  return words.join(', ') || undefined
}

function linesOf(tail: FileTail | undefined): readonly string[] {
  return tail?.text.split(/\r*\n/).filter(Boolean) ?? []
}

function datedLine(line: string): ConsoleLine {
  const [, time, text] = /^\[ *(\d+\.\d+)\] ?(.*)$/s.exec(line) ?? []
  return time === undefined ? { time: undefined, text: line } : { time: Number(time), text: text ?? '' }
}

function stepOf(step: Record<string, unknown>): MachineStep | undefined {
  const { time, kind, text, id, pattern, duration, ok, location } = step
  if (typeof time !== 'number' || typeof kind !== 'string') return undefined
  return {
    time,
    kind,
    text: typeof text === 'string' ? text : '',
    id: typeof id === 'string' ? id : undefined,
    pattern: typeof pattern === 'string' ? pattern : undefined,
    duration: typeof duration === 'number' ? duration : undefined,
    ok: typeof ok === 'boolean' ? ok : undefined,
    location: typeof location === 'string' ? location : undefined,
  }
}

function qmpOf(line: Record<string, unknown>): QmpLine | undefined {
  const { time, direction, message } = line
  if (typeof time !== 'number' || (direction !== 'sent' && direction !== 'received')) return undefined
  return isObject(message) ? { time, direction, message } : undefined
}

const PNG = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

function pngOf(bytes: Buffer | undefined): Buffer | undefined {
  return bytes?.subarray(0, PNG.length).equals(PNG) ? bytes : undefined
}

function filesIn(directory: string): MachineFiles['files'] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name }) => ({ name, bytes: statSync(join(directory, name)).size }))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  } catch {
    return []
  }
}
