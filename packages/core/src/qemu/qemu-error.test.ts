import { describe, expect, test } from 'vitest'
import { extractQemuError, hintFor, isHostConflict } from './qemu-error.ts'

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
    ["qemu: could not load PC BIOS 'ufei'", /`firmware: 'uefi'`/],
    ['qemu-system-x86_64: failed to initialize kvm: No such file or directory', /\/dev\/kvm/],
    ['qemu-system-x86_64: -device edu: invalid option', /`arbitraryArgs\('-device', 'edu'\)`/],
    ["qemu-system-x86_64: cannot set up guest memory 'pc.ram': Cannot allocate memory", /less `memory`/],
    ['qemu-system-x86_64: Failed to get "write" lock', /uses the image/],
    ["qemu-system-x86_64: Could not set up host forwarding rule 'tcp:127.0.0.1:80-:80'", /uses the port/],
  ])('on %s names what is to be changed', (printed, advice) => {
    expect(hintFor(printed, spec)).toMatch(advice)
  })

  test('is undefined for an unknown error', () => {
    expect(hintFor('qemu-system-x86_64: -device foo: no such device', spec)).toBeUndefined()
  })
})

test.each([
  ['a port in use', "Could not set up host forwarding rule 'tcp:127.0.0.1:8080-:80'", true],
  ['a locked image', 'Failed to get "write" lock', true],
  ['a lack of memory', "cannot set up guest memory 'pc.ram': Cannot allocate memory", true],
  ['a state that does not fit', "Unknown savevm section or instance '0000:00:04.0/virtio-net' 0", false],
])('tells whether %s is the fault of the host: %s', (_title, printed, isConflict) => {
  expect(isHostConflict(`qemu-system-x86_64: ${printed}`)).toBe(isConflict)
})
