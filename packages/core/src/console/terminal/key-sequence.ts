/** Escape sequences that xterm sends for keys. For keys of a VT220, they are the same as on a VT220. */
import { closestMatch } from 'leven'
import { OptionError } from '../../errors.ts'

/** Final letter after `ESC [`, or after `ESC O` in application mode. */
const CURSOR_KEYS: Readonly<Record<string, string>> = { up: 'A', down: 'B', right: 'C', left: 'D', home: 'H', end: 'F' }

const KEYS: Readonly<Record<string, string>> = {
  enter: '\r',
  tab: '\t',
  'shift-tab': '\x1b[Z',
  escape: '\x1b',
  backspace: '\x7f',
  space: ' ',
  insert: '\x1b[2~',
  delete: '\x1b[3~',
  pageup: '\x1b[5~',
  pagedown: '\x1b[6~',
  ...Object.fromEntries([...'PQRS'].map((letter, index) => [`f${index + 1}`, `\x1bO${letter}`])),
  ...Object.fromEntries([15, 17, 18, 19, 20, 21, 23, 24].map((code, index) => [`f${index + 5}`, `\x1b[${code}~`])),
}

const ALIASES: Readonly<Record<string, string>> = {
  return: 'enter',
  ret: 'enter',
  esc: 'escape',
  del: 'delete',
  ins: 'insert',
  pgup: 'pageup',
  pgdn: 'pagedown',
  spc: 'space',
  arrowup: 'up',
  arrowdown: 'down',
  arrowleft: 'left',
  arrowright: 'right',
}

/**
 * @param key name such as `ArrowDown`, `ctrl-c` or `alt-x`, or a character
 * @param isApplicationMode whether the program has set application mode for cursor keys (DECCKM)
 * @throws OptionError `INVALID_OPTION` for an unknown key
 */
export function keySequence(key: string, isApplicationMode: boolean): string {
  if (typeof key === 'string' && [...key].length === 1) return key
  const lower = typeof key === 'string' ? key.toLowerCase().replace(/^(ctrl|control|alt|shift)\+/, '$1-') : ''
  const name = ALIASES[lower] ?? lower
  const cursor = Object.hasOwn(CURSOR_KEYS, name) ? CURSOR_KEYS[name] : undefined
  if (cursor !== undefined) return `\x1b${isApplicationMode ? 'O' : '['}${cursor}`
  const sequence = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined
  if (sequence !== undefined) return sequence
  const [, letter] = /^(?:ctrl|control)-([a-z@[\\\]^_ ])$/.exec(name) ?? []
  if (letter !== undefined) return String.fromCharCode(letter.toUpperCase().charCodeAt(0) & 0x1f)
  const [, rest] = /^alt-(.+)$/.exec(name) ?? []
  if (rest !== undefined) return `\x1b${keySequence(rest, isApplicationMode)}`
  throw unknownKey(key, name)
}

function unknownKey(key: unknown, name: string): OptionError {
  const near = closestMatch(name, [...Object.keys(KEYS), ...Object.keys(CURSOR_KEYS), ...Object.keys(ALIASES)], {
    maxDistance: 3,
  })
  const guess = near === undefined ? '' : `; did you mean "${near}"?`
  return new OptionError('INVALID_OPTION', `press: Unknown key ${JSON.stringify(key)}${guess}`, {
    hint: 'Use names such as "enter", "ArrowDown", "F2", "ctrl-c". To type text, use `vm.send`.',
  })
}
