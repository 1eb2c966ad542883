/** Sends input of keyboard and pointer to a machine, with the QMP command `input-send-event`. */
import { OptionError } from '../../errors.ts'
import type { MachineEvent } from '../../events/machine-event.ts'
import { startTimer } from '../../host/clock.ts'
import { type CheckTable, checkTable, isDuration, oneOf, wholeNumber } from '../../options/checked-options.ts'
import type { QmpClient } from '../device.ts'
import { keysOf } from './key-names.ts'
import { type Chord, chordsFor, KEYBOARD_LAYOUTS } from './keyboard-layouts.ts'
import type { ClickOptions, Point, PressOptions, TypeOptions, WheelOptions } from './screen.ts'

/** The part of a machine that input needs. */
export interface InputTarget {
  readonly qmp: Pick<QmpClient, 'execute'>
  /** Id of the graphics card. */
  readonly display: string
  /** Whether the machine has a tablet. */
  readonly hasPointer: boolean
  /** Size of the screen in pixels. */
  readonly size: () => Promise<{ readonly width: number; readonly height: number }>
  readonly onEvent: ((event: MachineEvent) => void) | undefined
}

/**
 * Time between keys, milliseconds. QEMU drops keys when the queue of a PS/2 keyboard (16 bytes) is full. Any guest
 * reads the queue faster than this.
 */
const KEY_MS = 20
/** Time between steps of the pointer, so that a guest that polls sees each step. Milliseconds. */
const POINTER_MS = 40

const TYPE_CHECKS: CheckTable<Required<TypeOptions>> = { layout: oneOf(KEYBOARD_LAYOUTS), interval: isDuration }
const PRESS_CHECKS: CheckTable<Required<PressOptions>> = { duration: isDuration }
const BUTTONS = ['left', 'middle', 'right'] as const
const CLICK_CHECKS: CheckTable<Required<ClickOptions>> = { button: oneOf(BUTTONS), count: wholeNumber(1, 10) }
const WHEEL_CHECKS: CheckTable<Required<WheelOptions>> = { direction: oneOf(['up', 'down', 'left', 'right']) }

type InputEvent = { readonly type: string; readonly data: Readonly<Record<string, unknown>> }

const key = (code: string, down: boolean): InputEvent => ({
  type: 'key',
  data: { down, key: { type: 'qcode', data: code } },
})
const button = (name: string, down: boolean): InputEvent => ({ type: 'btn', data: { down, button: name } })

/** Types a text. See `Screen.type`. */
export async function type(target: InputTarget, text: string, options: TypeOptions): Promise<void> {
  checkTable('type', options, TYPE_CHECKS)
  if (typeof text !== 'string') throw new OptionError('INVALID_OPTION', 'type: the text must be a string')
  const { layout = 'us', interval = KEY_MS } = options
  const chords = chordsFor(text, layout)
  note(target, `typed ${JSON.stringify(text)}`)
  for (const chord of chords) await pressed(target, chord, interval)
}

/** Presses keys together. See `Screen.press`. */
export async function press(target: InputTarget, combination: string, options: PressOptions): Promise<void> {
  checkTable('press', options, PRESS_CHECKS)
  const chord = keysOf('press', combination)
  note(target, `pressed ${combination}`)
  await pressed(target, chord, options.duration ?? KEY_MS)
}

/** Holds keys until the result is disposed. See `Screen.hold`. */
export async function hold(target: InputTarget, combination: string): Promise<AsyncDisposable> {
  const chord = keysOf('hold', combination)
  note(target, `holds ${combination}`)
  await send(
    target,
    chord.map((code) => key(code, true)),
  )
  let released: Promise<void> | undefined
  return {
    [Symbol.asyncDispose]() {
      released ??= (async () => {
        note(target, `released ${combination}`)
        await send(
          target,
          chord.toReversed().map((code) => key(code, false)),
        )
      })()
      return released
    },
  }
}

async function pressed(target: InputTarget, chord: Chord, milliseconds: number): Promise<void> {
  await send(
    target,
    chord.map((code) => key(code, true)),
  )
  await pause(milliseconds / 2)
  await send(
    target,
    chord.toReversed().map((code) => key(code, false)),
  )
  await pause(milliseconds / 2)
}

/** Moves the pointer. See `Screen.move`. */
export async function move(target: InputTarget, point: Point): Promise<void> {
  await moveTo(target, 'move', point)
  note(target, `moved to ${place(point)}`)
}

/** Clicks. See `Screen.click`. */
export async function click(target: InputTarget, point: Point, options: ClickOptions): Promise<void> {
  checkTable('click', options, CLICK_CHECKS)
  const { button: name = 'left', count = 1 } = options
  await moveTo(target, 'click', point)
  for (let turn = 0; turn < count; turn++) {
    await send(target, [button(name, true)])
    await pause(POINTER_MS)
    await send(target, [button(name, false)])
    await pause(POINTER_MS)
  }
  note(
    target,
    `clicked at ${place(point)}${count === 1 ? '' : `, ${count} times`}${name === 'left' ? '' : `, ${name}`}`,
  )
}

/** Drags from one point to another. See `Screen.drag`. */
export async function drag(target: InputTarget, from: Point, to: Point): Promise<void> {
  await axesOf(target, 'drag', to)
  await moveTo(target, 'drag', from)
  await send(target, [button('left', true)])
  await pause(POINTER_MS)
  // A middle step, because programs recognize a drag by its motion.
  const middle = { x: Math.round((from.x + to.x) / 2), y: Math.round((from.y + to.y) / 2) }
  for (const point of [middle, to]) await moveTo(target, 'drag', point)
  await send(target, [button('left', false)])
  note(target, `dragged from ${place(from)} to ${place(to)}`)
}

/** Turns the wheel. See `Screen.wheel`. */
export async function wheel(target: InputTarget, steps: number, options: WheelOptions): Promise<void> {
  checkTable('wheel', options, WHEEL_CHECKS)
  requirePointer(target, 'wheel')
  if (!Number.isInteger(steps) || steps < 1 || steps > 1_000) {
    throw new OptionError('INVALID_OPTION', `wheel: the steps must be a whole number from 1 to 1000, and are ${steps}`)
  }
  const { direction = 'down' } = options
  for (let step = 0; step < steps; step++) {
    await send(target, [button(`wheel-${direction}`, true)])
    await send(target, [button(`wheel-${direction}`, false)])
    await pause(POINTER_MS)
  }
  note(target, `turned the wheel ${steps} ${direction}`)
}

async function moveTo(target: InputTarget, call: string, point: Point): Promise<void> {
  await send(target, await axesOf(target, call, point))
  await pause(POINTER_MS)
}

/** Converts the middle of a pixel to QEMU's coordinates, which are fractions of the screen. */
async function axesOf(target: InputTarget, call: string, point: Point): Promise<readonly InputEvent[]> {
  requirePointer(target, call)
  const { width, height } = await target.size()
  const { x, y } = point
  if (!isInside(x, width) || !isInside(y, height)) {
    throw new OptionError(
      'INVALID_OPTION',
      `${call}: the point (${x}, ${y}) is not on the screen, which has ${width} by ${height} pixels`,
      { hint: 'Give whole pixels, from 0 to the size minus 1.' },
    )
  }
  const axis = (name: string, at: number, size: number): InputEvent => ({
    type: 'abs',
    data: { axis: name, value: Math.floor(((at + 0.5) * 0x8000) / size) },
  })
  return [axis('x', x, width), axis('y', y, height)]
}

function isInside(at: number, size: number): boolean {
  return Number.isInteger(at) && at >= 0 && at < size
}

function requirePointer({ hasPointer }: InputTarget, call: string): void {
  if (hasPointer) return
  throw new OptionError('INVALID_OPTION', `${call}: this display has no pointer`, {
    hint: 'Add one: display({ pointer: true }). The guest needs drivers for USB and HID.',
  })
}

async function send({ qmp, display }: InputTarget, events: readonly InputEvent[]): Promise<void> {
  await qmp.execute('input-send-event', { device: display, events })
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void startTimer(resolve, milliseconds))
}

function note({ onEvent }: InputTarget, text: string): void {
  onEvent?.({ kind: 'input', text })
}

function place({ x, y }: Point): string {
  return `${x}, ${y}`
}
