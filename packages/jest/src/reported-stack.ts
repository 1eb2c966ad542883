/** An error as Jest hands it to reporters: one text, the stack with the message before it. */
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import type { ErrorReport, StackFrame } from '@coldboot/report'

const FRAME = /^\s+at (?:(.*) \()?((?:file:\/\/)?\/.*):(\d+):(\d+)\)?$/

/** Takes the text apart. The name is `Error` where it does not say. */
export function errorReport(text: string): ErrorReport {
  const lines = stripVTControlCharacters(text).split('\n')
  // Frames come last: a message may have lines that look like some.
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
