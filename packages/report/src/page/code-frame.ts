/** The lines of the sources around a place, as reporters on a terminal show them. */
import type { StackFrame } from '../run-report.ts'
import { readWhole } from './bounded-file.ts'

/** A line of a source file. */
export interface CodeLine {
  readonly number: number
  readonly text: string
  /** Whether it is the line itself, and not one around it. */
  readonly isPlace: boolean
}

/** Bytes of a source file that is looked into. */
const LARGEST = 1024 * 1024
/** Lines before and after. */
const AROUND = 2

/** @returns nothing when the file is gone, or shorter than that */
export function codeFrame({ file, line }: StackFrame): readonly CodeLine[] {
  const lines = readWhole(file, LARGEST)?.toString().split(/\r?\n/) ?? []
  if (line < 1 || line > lines.length) return []
  const start = Math.max(1, line - AROUND)
  return lines
    .slice(start - 1, line + AROUND)
    .map((text, index) => ({ number: start + index, text, isPlace: start + index === line }))
}
