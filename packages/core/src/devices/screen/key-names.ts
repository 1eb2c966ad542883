/** Converts names of keys to those of QEMU (QKeyCode in qapi/ui.json). */
import { closestMatch } from 'leven'
import { OptionError } from '../../errors.ts'

const rows = (names: string): readonly (readonly [string, string])[] =>
  names.split(/\s+/).map((pair): readonly [string, string] => {
    const [name = '', code = name] = pair.split(':')
    return [name, code]
  })

/** Name in lower case → QEMU's name. A key may have several names. */
const KEYS = new Map<string, string>([
  ...[...'abcdefghijklmnopqrstuvwxyz0123456789'].map((key): readonly [string, string] => [key, key]),
  ...Array.from({ length: 12 }, (_, index): readonly [string, string] => [`f${index + 1}`, `f${index + 1}`]),
  ...rows(`ctrl control:ctrl ctrl_r shift shift_r alt option:alt altgr:alt_r alt_r meta:meta_l super:meta_l win:meta_l
    windows:meta_l command:meta_l cmd:meta_l enter:ret return:ret ret esc escape:esc tab space:spc spc backspace
    delete del:delete insert ins:insert home end pageup:pgup pgup pagedown:pgdn pgdn up down left right arrowup:up
    arrowdown:down arrowleft:left arrowright:right caps_lock capslock:caps_lock num_lock numlock:num_lock scroll_lock
    scrolllock:scroll_lock print printscreen:print sysrq pause menu contextmenu:menu minus equal comma dot period:dot slash
    backslash semicolon apostrophe quote:apostrophe grave_accent backquote:grave_accent bracket_left bracketleft:bracket_left
    bracket_right bracketright:bracket_right less kp_enter kp_add kp_subtract kp_multiply kp_divide kp_decimal
    ${[...'0123456789'].map((digit) => `kp_${digit}`).join(' ')}`),
  ...rows(',:comma .:dot /:slash ;:semicolon =:equal [:bracket_left ]:bracket_right'),
  ["'", 'apostrophe'],
  ['`', 'grave_accent'],
  ['\\', 'backslash'],
])

/**
 * Parses a combination such as `ctrl-alt-delete` or `Control+Shift+K`. Returns QEMU's names, in the order in which the
 * keys are pressed.
 *
 * @param owner name of the method for messages, such as `press`
 * @throws OptionError `INVALID_OPTION` for an unknown key, with the nearest known one
 */
export function keysOf(owner: string, combination: string): readonly string[] {
  const names = typeof combination === 'string' ? combination.toLowerCase().split(/(?<=.)[-+](?=.)/) : []
  if (names.length === 0) {
    throw new OptionError('INVALID_OPTION', `${owner}: a key must be a name such as "enter" or "ctrl-alt-delete"`)
  }
  return names.map((name) => {
    const code = KEYS.get(name === '-' ? 'minus' : name)
    if (code !== undefined) return code
    const near = closestMatch(name, [...KEYS.keys()], { maxDistance: 3 })
    throw new OptionError(
      'INVALID_OPTION',
      `${owner}: Unknown key ${JSON.stringify(name)}${near === undefined ? '' : `; did you mean "${near}"?`}`,
      { hint: 'Use names such as "enter", "ctrl-alt-f2", "arrowdown", "a". To type text, use `type`.' },
    )
  })
}
