import { describe, expect, test } from 'vitest'
import { withoutForeignText, withoutKernelMessages } from './kernel-messages.ts'

describe('without kernel messages', () => {
  test('a text is whole again, wherever they came in', () => {
    const text = 'one\ntwo\n'
    const message = '[   12.345678] usb 1-1: new device\n[    1.000000][  T123] x: y\n'
    for (let at = 0; at <= text.length; at++) {
      expect(withoutKernelMessages(text.slice(0, at) + message + text.slice(at))).toBe(text)
    }
  })

  test('a text in brackets stays', () => {
    expect(withoutKernelMessages('[1] done\n[a.b] c\n[12.5] d\n')).toBe('[1] done\n[a.b] c\n[12.5] d\n')
  })
})

describe('without foreign text', () => {
  const lines = ['AAAA', 'BBBB', 'CC'].join('\n')
  const other = /[^A-Z]/

  test('lines are whole again, wherever it came in', () => {
    for (let at = 0; at <= lines.length; at++) {
      const clean = withoutForeignText(`${lines.slice(0, at)}abc: XYZ\n${lines.slice(at)}`, other, 4)
      expect(clean.replaceAll('\n', '')).toBe('AAAABBBBCC')
    }
  })

  test('what it has in common with the lines goes too, where it makes one too long', () => {
    expect(withoutForeignText('AAAA\nBBNOISE: x\nBB\nCC', other, 4)).toBe('AAAA\nBBBB\nCC')
  })
})
