/** Screen of a machine: pictures, text, keys and pointer. The code of a method is loaded at its first call. */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { linkMachine } from '../../events/shown-machine.ts'
import type { AttachContext } from '../device.ts'
import { TRANSIENT } from '../helpers/transient-file.ts'
import type { InputTarget } from './input.ts'
import type { KeyboardLayout } from './keyboard-layouts.ts'
import { parsePpm, type RgbPicture } from './ppm.ts'

/** A point on a screen, in pixels from the top left corner, from 0. */
export interface Point {
  readonly x: number
  readonly y: number
}

/** Options of {@link Screen.text}. */
export interface ScreenTextOptions {
  /**
   * Font of the guest's console, a PSF file such as `Lat15-Terminus16.psf.gz`, in addition to the built-in fonts of PC
   * firmware, Linux, and Debian's console. @default none
   */
  readonly font?: string
  /**
   * Whether to recognize characters of any font (OCR), which makes mistakes. Needs the npm packages `tesseract.js` and
   * `@tesseract.js-data/eng`. `{ language: 'deu' }` uses the data package of another language. @default false
   */
  readonly ocr?: boolean | { readonly language: string }
}

/** Options of {@link Screen.type}. */
export interface TypeOptions {
  /** Keyboard layout of the guest. @default 'us' */
  readonly layout?: KeyboardLayout
  /** Time between keys, milliseconds. @default 20 */
  readonly interval?: number
}

/** Options of {@link Screen.press}. */
export interface PressOptions {
  /** How long the keys are down, milliseconds. @default 10 */
  readonly duration?: number
}

/** Options of {@link Screen.click}. */
export interface ClickOptions {
  /** Button of the pointer. @default 'left' */
  readonly button?: 'left' | 'middle' | 'right'
  /** Number of clicks, 2 for a double click. @default 1 */
  readonly count?: number
}

/** Options of {@link Screen.wheel}. */
export interface WheelOptions {
  /** Direction in which the wheel is turned. @default 'down' */
  readonly direction?: 'up' | 'down' | 'left' | 'right'
}

/** The screen of one machine, with its keyboard and pointer. */
export interface Screen {
  /**
   * Takes a screenshot, as a PNG file.
   * @throws MachineError `QMP_FAILED`, `MACHINE_EXITED`, `DEVICE_NOT_ATTACHED`
   */
  screenshot(): Promise<Uint8Array>
  /**
   * Reads the text of a screen in text mode, or of a text console in graphics mode, exactly, by comparing glyphs.
   * Trailing blanks, and empty lines at the end, are removed. A character that is not in the font is `\ufffd`.
   *
   * @throws ExpectError `SCREEN_UNREADABLE` when the screen shows graphics
   * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`, `FILE_MISSING`; MachineError as {@link screenshot}
   */
  text(options?: ScreenTextOptions): Promise<string>
  /**
   * Types a text, with `\n` as Enter.
   *
   * @throws OptionError `INVALID_OPTION` with the characters for which the layout has no key; nothing is typed then
   * @throws MachineError `QMP_FAILED`, for example without a keyboard; `MACHINE_EXITED`, `DEVICE_NOT_ATTACHED`
   */
  type(text: string, options?: TypeOptions): Promise<void>
  /**
   * Presses and releases keys together: `enter`, `f2`, `ctrl-alt-delete`, `Alt+Tab`.
   * @throws OptionError `INVALID_OPTION` for an unknown key; MachineError as {@link type}
   */
  press(keys: string, options?: PressOptions): Promise<void>
  /**
   * Holds keys down until the result is disposed: `await using shift = await screen.hold('shift')`.
   * @throws OptionError, MachineError as {@link press}
   */
  hold(keys: string): Promise<AsyncDisposable>
  /**
   * Moves the pointer. This method and the following ones need `display({ pointer: true })`.
   * @throws OptionError `INVALID_OPTION` for a point outside of the screen, or without a pointer; MachineError as
   * {@link type}
   */
  move(point: Point): Promise<void>
  /** Moves the pointer and clicks. @throws as {@link move} */
  click(point: Point, options?: ClickOptions): Promise<void>
  /** Moves the pointer, holds the left button, and releases it at another point. @throws as {@link move} */
  drag(from: Point, to: Point): Promise<void>
  /** Turns the wheel at the position of the pointer. @param steps number of notches @throws as {@link move} */
  wheel(steps: number, options?: WheelOptions): Promise<void>
}

/** Creates the screen of a machine. @param hasPointer whether the display has a pointer */
export function screenOf({ vm, qmp, directory, ids, onEvent }: AttachContext, hasPointer: boolean): Screen {
  const [id = ''] = ids
  let count = 0
  const dump = async (format: 'png' | 'ppm'): Promise<Buffer> => {
    const filename = join(directory, `${TRANSIENT}${id}-${count++}.${format}`)
    await qmp.execute('screendump', { filename, device: id, format })
    const bytes = await readFile(filename)
    await rm(filename)
    return bytes
  }
  const picture = async (): Promise<RgbPicture> => parsePpm(await dump('ppm'))
  const target: InputTarget = { qmp, display: id, hasPointer, size: picture, onEvent }
  const input = (): Promise<typeof import('./input.ts')> => import('./input.ts')
  const screen: Screen = {
    screenshot: () => dump('png'),
    text: async (options = {}) => (await import('./screen-text.ts')).screenText(picture, options),
    type: async (text, options = {}) => (await input()).type(target, text, options),
    press: async (keys, options = {}) => (await input()).press(target, keys, options),
    hold: async (keys) => (await input()).hold(target, keys),
    move: async (point) => (await input()).move(target, point),
    click: async (point, options = {}) => (await input()).click(target, point, options),
    drag: async (from, to) => (await input()).drag(target, from, to),
    wheel: async (steps, options = {}) => (await input()).wheel(target, steps, options),
  }
  return linkMachine(screen, () => vm)
}
