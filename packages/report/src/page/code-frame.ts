/** Reads the source lines around a position. */
import type { StackFrame } from '../run-report.ts'
import { readWhole } from './bounded-file.ts'

/** A line of a source file. */
export interface CodeLine {
  readonly number: number
  readonly text: string
  /** Whether it is the line of the position. */
  readonly isPlace: boolean
}

/** Maximum size of a source file, bytes. */
const LARGEST = 1024 * 1024
/** Number of lines before and after the position. */
const AROUND = 2

/** @returns an empty list if the file or the line does not exist */
export function codeFrame({ file, line }: StackFrame): readonly CodeLine[] {
  const lines = readWhole(file, LARGEST)?.toString().split(/\r?\n/) ?? []
  if (line < 1 || line > lines.length) return []
  const start = Math.max(1, line - AROUND)
  return lines
    .slice(start - 1, line + AROUND)
    .map((text, index) => ({ number: start + index, text, isPlace: start + index === line }))
}
