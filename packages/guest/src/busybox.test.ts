import { expect, test } from 'vitest'
import { appletNames } from './busybox.ts'

test('reads the programs of a busybox from the table inside it', () => {
  const busybox = Buffer.from('\x7fELF…code…\0[\0[[\0mount\0modprobe\0sh\0zcat\0\0more code\0')
  expect(appletNames(busybox)).toEqual(['[', '[[', 'mount', 'modprobe', 'sh', 'zcat'])
})

test.each([
  ['without a command that the guest needs', '\0[\0[[\0mount\0zcat\0\0'],
  ['without a table', 'a program of another kind'],
])('refuses a busybox %s', (_, content) => {
  expect(() => appletNames(Buffer.from(content))).toThrow(
    expect.objectContaining({ code: 'GUEST_KERNEL_UNAVAILABLE', hint: "Install Debian's busybox-static." }),
  )
})
