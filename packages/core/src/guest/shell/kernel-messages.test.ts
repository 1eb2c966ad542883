import { describe, expect, test } from 'vitest'
import { withoutForeignText, withoutKernelMessages } from './kernel-messages.ts'

describe('without kernel messages', () => {
  test('restores a text with a message at any position', () => {
    const text = 'one\ntwo\n'
    const message = '[   12.345678] usb 1-1: new device\n[    1.000000][  T123] x: y\n'
    for (let at = 0; at <= text.length; at++) {
      expect(withoutKernelMessages(text.slice(0, at) + message + text.slice(at))).toBe(text)
    }
  })

  test('keeps other text in brackets', () => {
    expect(withoutKernelMessages('[1] done\n[a.b] c\n[12.5] d\n')).toBe('[1] done\n[a.b] c\n[12.5] d\n')
  })
})

describe('without foreign text', () => {
  const lines = ['AAAA', 'BBBB', 'CC'].join('\n')
  const other = /[^A-Z]/

  test('restores lines with foreign text at any position', () => {
    for (let at = 0; at <= lines.length; at++) {
      const clean = withoutForeignText(`${lines.slice(0, at)}abc: XYZ\n${lines.slice(at)}`, other, 4)
      expect(clean.replaceAll('\n', '')).toBe('AAAABBBBCC')
    }
  })

  test('removes common characters that make a line too long', () => {
    expect(withoutForeignText('AAAA\nBBNOISE: x\nBB\nCC', other, 4)).toBe('AAAA\nBBBB\nCC')
  })
})
