import { describe, expect, test } from 'vitest'
import { playMachine } from '../../../test/attachment.ts'
import type { MachineEvent } from '../../events/machine-event.ts'
import { display } from '../display.ts'
import { KEYBOARD_LAYOUTS } from './keyboard-layouts.ts'
import type { Screen } from './screen.ts'

/** A screen of 100 by 50 pixels that records its input: `a+` presses a, `a-` releases it, `x=5` moves the pointer. */
function screen(options: Parameters<typeof display>[0] = {}): {
  readonly screen: Screen
  readonly sent: string[]
  readonly events: MachineEvent[]
} {
  const sent: string[] = []
  const events: MachineEvent[] = []
  const { context } = playMachine(
    (command, asked) => {
      if (command === 'screendump') {
        process.getBuiltinModule('node:fs').writeFileSync(String(asked['filename']), 'P6\n100 50\n255\n')
        return {}
      }
      expect([command, asked['device']]).toEqual(['input-send-event', 'display7'])
      for (const { type, data } of asked['events'] as { type: string; data: Record<string, unknown> }[]) {
        const sign = data['down'] === true ? '+' : '-'
        if (type === 'key') sent.push(`${(data['key'] as { data: string }).data}${sign}`)
        else if (type === 'btn') sent.push(`${String(data['button'])}${sign}`)
        else sent.push(`${String(data['axis'])}=${String(data['value'])}`)
      }
      return {}
    },
    ['display7'],
  )
  const device = display(options)
  void device.attach?.({ ...context, onEvent: (event) => void events.push(event) })
  return { screen: device, sent, events }
}

describe('type', () => {
  test('presses the keys of a text, with modifiers around them', async () => {
    const { screen: typed, sent, events } = screen()
    await typed.type('aB\n', { interval: 1 })
    expect(sent).toEqual(['a+', 'a-', 'shift+', 'b+', 'b-', 'shift-', 'ret+', 'ret-'])
    expect(events).toEqual([{ kind: 'input', text: 'typed "aB\\n"' }])
  })

  test.each([
    ['us', '@', ['shift+', '2+', '2-', 'shift-']],
    ['gb', '@', ['shift+', 'apostrophe+', 'apostrophe-', 'shift-']],
    ['de', '@', ['alt_r+', 'q+', 'q-', 'alt_r-']],
    ['de', 'z', ['y+', 'y-']],
    ['de', 'é', ['equal+', 'equal-', 'e+', 'e-']],
    ['de', '^', ['grave_accent+', 'grave_accent-', 'spc+', 'spc-']],
    ['de', '\\', ['alt_r+', 'minus+', 'minus-', 'alt_r-']],
    ['fr', 'a1', ['q+', 'q-', 'shift+', '1+', '1-', 'shift-']],
    ['fr', 'é', ['2+', '2-']],
    ['fr', '@', ['alt_r+', '0+', '0-', 'alt_r-']],
    ['fr', 'ê', ['bracket_left+', 'bracket_left-', 'e+', 'e-']],
  ] as const)('uses the keys of the layout %s for %s', async (layout, text, keys) => {
    const { screen: typed, sent } = screen()
    await typed.type(text, { layout, interval: 1 })
    expect(sent).toEqual(keys)
  })

  test('has keys for all of ASCII in each layout', async () => {
    const ascii = String.fromCharCode(...Array.from({ length: 95 }, (_, index) => index + 32))
    for (const layout of KEYBOARD_LAYOUTS) {
      const { screen: typed, sent } = screen()
      await typed.type(
        `${ascii}
	`,
        { layout, interval: 0.001 },
      )
      expect(sent.length).toBeGreaterThanOrEqual(2 * (ascii.length + 2))
    }
  })

  test('names all characters without a key, and types nothing', async () => {
    const { screen: typed, sent } = screen()
    await expect(typed.type('aéü€')).rejects.toThrow(/the layout `us` has no key for "é", "ü", "€"\nNothing was typed/)
    expect(sent).toEqual([])
    await expect(typed.type('a', { layout: 'dvorak' as 'us' })).rejects.toThrow(
      /`layout` must be one of us, gb, de, fr/,
    )
    await expect(typed.type('a', { speed: 1 } as object)).rejects.toThrow(/Unknown option `speed`/)
  })
})

describe('press', () => {
  test.each([
    ['ctrl-alt-delete', ['ctrl+', 'alt+', 'delete+', 'delete-', 'alt-', 'ctrl-']],
    ['Control+Shift+K', ['ctrl+', 'shift+', 'k+', 'k-', 'shift-', 'ctrl-']],
    ['ArrowDown', ['down+', 'down-']],
    ['ctrl--', ['ctrl+', 'minus+', 'minus-', 'ctrl-']],
    ['F12', ['f12+', 'f12-']],
  ])('presses the keys of %s together', async (keys, expected) => {
    const { screen: pressed, sent } = screen()
    await pressed.press(keys, { duration: 1 })
    expect(sent).toEqual(expected)
  })

  test('refuses an unknown key, with a near one', async () => {
    const { screen: pressed, sent } = screen()
    await expect(pressed.press('ctrl-delte')).rejects.toThrow(/Unknown key "delte"; did you mean "delete"\?/)
    await expect(pressed.press('')).rejects.toThrow(/Unknown key ""/)
    expect(sent).toEqual([])
  })

  test('holds keys until they are released', async () => {
    const { screen: held, sent } = screen()
    {
      await using _shift = await held.hold('ctrl-shift')
      expect(sent).toEqual(['ctrl+', 'shift+'])
    }
    expect(sent).toEqual(['ctrl+', 'shift+', 'shift-', 'ctrl-'])
  })
})

describe('the pointer', () => {
  test('clicks in the middle of a pixel', async () => {
    const { screen: clicked, sent, events } = screen({ pointer: true })
    await clicked.click({ x: 99, y: 0 }, { button: 'right', count: 2 })
    const twice = ['right+', 'right-', 'right+', 'right-']
    expect(sent).toEqual([`x=${Math.floor((99.5 * 32768) / 100)}`, `y=${Math.floor((0.5 * 32768) / 50)}`, ...twice])
    expect(events).toEqual([{ kind: 'input', text: 'clicked at 99, 0, 2 times, right' }])
  })

  test('drags by way of the middle, and turns the wheel', async () => {
    const { screen: moved, sent } = screen({ pointer: true })
    await moved.drag({ x: 0, y: 0 }, { x: 50, y: 20 })
    const at = (x: number, y: number) => [
      `x=${Math.floor(((x + 0.5) * 32768) / 100)}`,
      `y=${Math.floor(((y + 0.5) * 32768) / 50)}`,
    ]
    expect(sent).toEqual([...at(0, 0), 'left+', ...at(25, 10), ...at(50, 20), 'left-'])
    sent.length = 0
    await moved.wheel(2, { direction: 'up' })
    expect(sent).toEqual(['wheel-up+', 'wheel-up-', 'wheel-up+', 'wheel-up-'])
  })

  test('refuses points outside of the screen, and a display without a pointer', async () => {
    const { screen: moved, sent } = screen({ pointer: true })
    await expect(moved.move({ x: 100, y: 0 })).rejects.toThrow(
      /\(100, 0\) is not on the screen, which has 100 by 50 pixels/,
    )
    await expect(moved.drag({ x: 0, y: 0 }, { x: 0, y: 50 })).rejects.toThrow(/is not on the screen/)
    await expect(moved.wheel(0)).rejects.toThrow(/from 1 to 1000/)
    await expect(screen().screen.click({ x: 0, y: 0 })).rejects.toThrow(/has no pointer\nAdd one/)
    expect(sent).toEqual([])
  })
})
