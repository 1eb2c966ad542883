import { describe, expect, test } from 'vitest'
import { extractQemuError, hintFor } from './qemu-error.ts'

const spec = { arch: 'x86_64', kernel: '/me/text.txt', machine: 'q53', cpu: 'hosst' } as const

describe('the line with the reason', () => {
  test.each([
    ['the only one', 'qemu: invalid kernel header\n', 'qemu: invalid kernel header'],
    [
      'without the tip after it',
      'qemu-system-x86_64: unsupported machine type\nUse -machine help to list supported machines\n',
      'qemu-system-x86_64: unsupported machine type',
    ],
    [
      'without a warning after it',
      'qemu-system-x86_64: no such device\nqemu-system-x86_64: warning: old\n',
      'qemu-system-x86_64: no such device',
    ],
    ['the last line of a program that does not print its name', 'sh: no\nsh: gone\n', 'sh: gone'],
    ['empty without output', '', ''],
  ])('is %s', (_title, printed, line) => {
    expect(extractQemuError(printed)).toBe(line)
  })
})

describe('the advice', () => {
  test.each([
    ['qemu: invalid kernel header', /`kernel` is not a kernel image .* x86_64: \/me\/text\.txt/],
    ['qemu-system-x86_64: unsupported machine type', /no `machine` "q53"/],
    ["qemu-system-x86_64: unable to find CPU model 'hosst'", /no `cpu` "hosst"/],
    ["qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory", /less `memory`/],
    ['qemu-system-x86_64: Failed to get "write" lock', /uses the image/],
  ])('on %s names what is to be changed', (printed, advice) => {
    expect(hintFor(printed, spec)).toMatch(advice)
  })

  test('is undefined for an unknown error', () => {
    expect(hintFor('qemu-system-x86_64: -device foo: no such device', spec)).toBeUndefined()
  })
})
