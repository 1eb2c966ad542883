/** Formats text and numbers for display. */
import { stripVTControlCharacters } from 'node:util'

/**
 * Makes untrusted text safe to read: removes colors, replaces other control characters by symbols (␛), and bidirectional marks
 * by their code. Does not escape HTML.
 */
export function formatText(text: string): string {
  return stripVTControlCharacters(text)
    .replaceAll('\r\n', '\n')
    .replace(/[\0-\x08\v-\x1f]/g, (character) => String.fromCodePoint(0x2400 + character.charCodeAt(0)))
    .replaceAll('\x7f', '␡')
    .replace(/[\x80-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    })
}

/** Formats a size, for example `1.5 KiB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`
  const [value, unit] = bytes < 1024 ** 2 ? [bytes / 1024, 'KiB'] : [bytes / 1024 ** 2, 'MiB']
  return `${value.toFixed(value < 10 ? 1 : 0)} ${unit}`
}

/** Formats a number with its noun, for example `1 test` or `2 tests`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
