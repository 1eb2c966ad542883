import { expect, test } from 'vitest'
import { shortCommandLine } from './short-command-line.ts'

const LINE = [
  '/opt/my qemu/qemu-system-x86_64',
  '-nodefaults',
  '-name',
  'guest=vm',
  '-machine',
  'pc,accel=tcg',
  '-cpu',
  'max',
]

test('shows the most informative options, and omits the others', () => {
  const argv = [
    ...LINE,
    '-m',
    '256M',
    '-kernel',
    '/boot/my kernel',
    '-append',
    'console=ttyS0 quiet',
    '-device',
    'virtio-rng-pci',
  ]
  expect(shortCommandLine(argv)).toBe(
    "qemu-system-x86_64 … -name guest=vm -machine pc,accel=tcg … -m 256M -kernel 'my kernel' -append 'console=ttyS0 quiet' …",
  )
})

test('cuts long values, and quotes the rest', () => {
  const line = shortCommandLine([...LINE, '-append', `console=ttyS0 ${'x'.repeat(500)}`])
  expect(line).toMatch(/ -append 'console=ttyS0 x+…'$/)
  expect(line.length).toBeLessThan(180)
})

test('omits the arguments of a wrapper', () => {
  expect(shortCommandLine(['nice', '-n', '5', 'qemu-system-arm', '-M', 'virt'])).toBe('qemu-system-arm …')
})

test('shows a program of another name', () => {
  expect(shortCommandLine(['/opt/emulator', '-m', '1G'])).toBe('emulator -m 1G')
})
