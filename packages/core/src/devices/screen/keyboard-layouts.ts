/** Keyboard layouts: the keys for each character. From the basic variants of xkeyboard-config (Linux). */
import { OptionError } from '../../errors.ts'

/** Names of the layouts. The guest must use the same layout. */
export type KeyboardLayout = 'us' | 'gb' | 'de' | 'fr'

/** Keys that are pressed together: modifiers first, by QEMU's names. */
export type Chord = readonly string[]

/** QEMU's names of the keys in each layout: four rows from left to right, the key beside the left shift, and space. */
const POSITIONS =
  `grave_accent 1 2 3 4 5 6 7 8 9 0 minus equal q w e r t y u i o p bracket_left bracket_right a s d f g h j k l semicolon apostrophe
  backslash less z x c v b n m comma dot slash spc`.split(/\s+/)

interface Rows {
  readonly plain: string
  readonly shift: string
  /** Characters with AltGr, each after the character without it. */
  readonly altGr?: string
  /** Dead keys: character of the key in the rows → combining mark. */
  readonly dead?: Readonly<Record<string, string>>
}

const LAYOUTS: Readonly<Record<KeyboardLayout, Rows>> = {
  us: {
    plain: "`1234567890-=qwertyuiop[]asdfghjkl;'\\<zxcvbnm,./ ",
    shift: '~!@#$%^&*()_+QWERTYUIOP{}ASDFGHJKL:"|>ZXCVBNM<>? ',
  },
  gb: {
    plain: "`1234567890-=qwertyuiop[]asdfghjkl;'#\\zxcvbnm,./ ",
    shift: '¬!"£$%^&*()_+QWERTYUIOP{}ASDFGHJKL:@~|ZXCVBNM<>? ',
    altGr: '4€',
  },
  de: {
    plain: '^1234567890ß´qwertzuiopü+asdfghjklöä#<yxcvbnm,.- ',
    shift: '°!"§$%&/()=?`QWERTZUIOPÜ*ASDFGHJKLÖÄ\'>YXCVBNM;:_ ',
    altGr: '2²3³7{8[9]0}ß\\q@e€+~<|mµ',
    dead: { '^': '\u0302', '´': '\u0301', '`': '\u0300' },
  },
  fr: {
    plain: '²&é"\'(-è_çà)=azertyuiop^$qsdfghjklmù*<wxcvbn,;:! ',
    shift: '~1234567890°+AZERTYUIOP¨£QSDFGHJKLM%µ>WXCVBN?./§ ',
    // Without the circumflex, because a dead key types it.
    altGr: 'é~"#\'{([-|è`_\\à@)]=}e€$¤',
    dead: { '^': '\u0302', '¨': '\u0308' },
  },
}

/** Names of the layouts. */
export const KEYBOARD_LAYOUTS: readonly KeyboardLayout[] = Object.keys(LAYOUTS) as KeyboardLayout[]

const CONTROLS: ReadonlyMap<string, Chord> = new Map([
  ['\n', ['ret']],
  ['\t', ['tab']],
  ['\b', ['backspace']],
  ['\x1b', ['esc']],
])

function chordsOf({ plain, shift, altGr = '', dead = {} }: Rows): ReadonlyMap<string, readonly Chord[]> {
  const keys = new Map<string, Chord>()
  const add = (row: string, modifiers: Chord): void => {
    for (const [index, character] of [...row].entries()) {
      const position = POSITIONS[index]
      if (position !== undefined && !keys.has(character)) keys.set(character, [...modifiers, position])
    }
  }
  add(plain, [])
  add(shift, ['shift'])
  const withAltGr = [...altGr]
  for (let at = 0; at < withAltGr.length; at += 2) {
    const [key] = keys.get(withAltGr[at] ?? '') ?? []
    const character = withAltGr[at + 1] ?? ''
    if (key !== undefined && !keys.has(character)) keys.set(character, ['alt_r', key])
  }
  const chords = new Map<string, readonly Chord[]>([...CONTROLS].map(([character, chord]) => [character, [chord]]))
  for (const [character, chord] of keys) chords.set(character, [chord])
  for (const [character, mark] of Object.entries(dead)) {
    const key = keys.get(character)
    if (key === undefined) continue
    // A dead key waits for a letter. With a space, it types the accent itself.
    chords.set(character, [key, ['spc']])
    for (const [letter, chord] of keys) {
      const composed = (letter + mark).normalize('NFC')
      if (composed.length === 1 && !keys.has(composed)) chords.set(composed, [key, chord])
    }
  }
  return chords
}

const known = new Map<KeyboardLayout, ReadonlyMap<string, readonly Chord[]>>()

/**
 * Returns the keys that type a text, in order.
 * @throws OptionError `INVALID_OPTION` with all characters for which the layout has no key
 */
export function chordsFor(text: string, layout: KeyboardLayout): readonly Chord[] {
  const chords = known.get(layout) ?? chordsOf(LAYOUTS[layout])
  known.set(layout, chords)
  const characters = [...text.replaceAll('\r\n', '\n').normalize('NFC')]
  const missing = new Set(characters.filter((character) => !chords.has(character)))
  if (missing.size > 0) {
    const list = [...missing].map((character) => JSON.stringify(character)).join(', ')
    throw new OptionError('INVALID_OPTION', `type: the layout \`${layout}\` has no key for ${list}`, {
      hint: `Nothing was typed. The layouts are ${KEYBOARD_LAYOUTS.map((name) => `\`${name}\``).join(', ')}; the guest must use the same one.`,
    })
  }
  return characters.flatMap((character) => chords.get(character) ?? [])
}
