/** Parses the errors that Jest passes to reporters: one text with the message and the stack. */
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import type { ErrorReport, StackFrame } from '@coldboot/report'

const FRAME = /^\s+at (?:(.*) \()?((?:file:\/\/)?\/.*):(\d+):(\d+)\)?$/

/** Splits the text. The default name is `Error`. */
export function errorReport(text: string): ErrorReport {
  const lines = stripVTControlCharacters(text).split('\n')
  // Takes only the last frames, because the message may contain lines that look like frames.
  const start = lines.findLastIndex((line) => line.trim() !== '' && !/^\s+at /.test(line)) + 1
  const [, name = 'Error', message = ''] = /^(?:(\w*Error): )?([^]*)$/.exec(lines.slice(0, start).join('\n')) ?? []
  return { name, message: message.trimEnd(), stack: lines.slice(start).flatMap(frameOf) }
}

function frameOf(line: string): readonly StackFrame[] {
  const [, method, place = '', row, column] = FRAME.exec(line) ?? []
  if (place === '' || /\/node_modules\//.test(place)) return []
  const file = place.startsWith('file://') ? fileURLToPath(place) : place
  return [{ file, line: Number(row), column: Number(column), method }]
}
