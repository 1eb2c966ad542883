import { describe, expect, test } from 'vitest'
import { keySequence } from './key-sequence.ts'
import { TerminalOnConsole, type TerminalOptions } from './terminal.ts'

/** A fake console. The test provides its output. */
function consoleWith(earlier = '', options?: TerminalOptions) {
  const watchers = new Set<(chunk: Uint8Array) => number>()
  const [sent, answers]: [string[], string[]] = [[], []]
  const terminal = new TerminalOnConsole(
    {
      raw: () => earlier,
      watch(watcher) {
        watchers.add(watcher)
        return { [Symbol.dispose]: () => void watchers.delete(watcher) }
      },
      send: (data, isAnswer) => void (isAnswer === true ? answers : sent).push(data),
    },
    options,
  )
  const print = (text: string | Uint8Array): void => {
    for (const watcher of watchers) expect(watcher(Buffer.from(text))).toBe(0)
  }
  return { terminal, print, sent, answers }
}

test('shows the visible text, including output from before its first use', async () => {
  const { terminal, print } = consoleWith('old\r\n\x1b[2J\x1b[Hfirst line\r\n')
  expect(await terminal.text()).toBe('first line')
  print('\x1b[3;5H\x1b[7m< Ok >\x1b[0m')
  expect(await terminal.text()).toBe('first line\n\n    < Ok >')
  expect(await terminal.line(2)).toBe('    < Ok >')
  expect(await terminal.cursor()).toEqual({ line: 2, column: 10 })
  await expect(terminal.line(24)).rejects.toThrow(/has the lines 0 to 23, not 24/)
})

test('has the size of its options, and scrolls', async () => {
  const { terminal, print } = consoleWith('', { columns: 10, lines: 3 })
  print('a\r\nb\r\nc\r\n0123456789wrapped')
  expect(await terminal.text()).toBe('c\n0123456789\nwrapped')
})

test('reads characters that arrive in parts', async () => {
  const { terminal, print } = consoleWith()
  await terminal.text()
  const bytes = Buffer.from('ä€')
  for (let at = 0; at < bytes.length; at++) print(bytes.subarray(at, at + 1))
  expect(await terminal.text()).toBe('ä€')
})

test('answers queries only with its option, and not those of recorded output', async () => {
  const { terminal, print, answers } = consoleWith('\x1b[6n', {})
  await terminal.text()
  print('ab\x1b[6n\x1b[c')
  await terminal.text()
  expect(answers).toEqual(['\x1b[1;3R', '\x1b[?1;2c'])
  const silent = consoleWith()
  await silent.terminal.text()
  silent.print('\x1b[6n')
  await silent.terminal.text()
  expect(silent.answers).toEqual([])
})

describe('press', () => {
  test.each([
    ['enter', '\r'],
    ['Tab', '\t'],
    ['shift-tab', '\x1b[Z'],
    ['ArrowDown', '\x1b[B'],
    ['up', '\x1b[A'],
    ['F1', '\x1bOP'],
    ['f12', '\x1b[24~'],
    ['Escape', '\x1b'],
    ['ctrl-c', '\x03'],
    ['Ctrl+X', '\x18'],
    ['alt-x', '\x1bx'],
    ['alt-ArrowUp', '\x1b\x1b[A'],
    ['é', 'é'],
  ])('sends the bytes of %s', async (key, bytes) => {
    const { terminal, sent } = consoleWith()
    await terminal.press(key)
    expect(sent).toEqual([bytes])
  })

  test('uses the cursor keys that the program asked for', async () => {
    const { terminal, sent } = consoleWith('\x1b[?1h')
    await terminal.press('ArrowDown')
    await terminal.press('home')
    expect(sent).toEqual(['\x1bOB', '\x1bOH'])
  })

  test('refuses an unknown key, with a near one', () => {
    expect(() => keySequence('ArowDown', false)).toThrow(/Unknown key "ArowDown"; did you mean "arrowdown"\?/)
    expect(() => keySequence(1 as unknown as string, false)).toThrow(/Unknown key 1/)
  })
})
