import { hostArchitecture } from '@coldboot/core/internal'
import { describe, expect, test } from 'vitest'
import { type LinuxGuestOptions, resolveGuestOptions } from './guest-options.ts'

describe('defaults', () => {
  test('match the documentation', () => {
    expect(resolveGuestOptions({})).toMatchObject({
      arch: hostArchitecture(),
      flavour: 'generic',
      modules: [],
      files: {},
      init: '',
      hostname: undefined,
      logLevel: 4,
      cacheDirectory: undefined,
    })
  })

  test('replace undefined', () => {
    expect(resolveGuestOptions({ flavour: undefined, init: undefined })).toMatchObject({ flavour: 'generic', init: '' })
  })
})

test('accepts the lines of `init` as a list', () => {
  expect(resolveGuestOptions({ init: ['a', 'b'] }).init).toBe('a\nb')
})

test('refuses an unknown option and suggests the nearest known one', () => {
  expect(() => resolveGuestOptions({ module: ['9p'] } as LinuxGuestOptions)).toThrow(
    expect.objectContaining({
      code: 'UNKNOWN_OPTION',
      shortMessage: 'linuxGuest: Unknown option `module`; did you mean `modules`?',
    }),
  )
})

test.each<[string, object, RegExp]>([
  ['an unknown architecture', { arch: 'amd64' }, /`arch`.*x86_64.*"amd64"/],
  ['a property of every object as the architecture', { arch: 'constructor' }, /`arch`/],
  ['an unknown flavour', { flavour: 'rt' }, /`flavour`/],
  ['one module instead of a list', { modules: '9p' }, /`modules`/],
  ['a module with an option of modprobe', { modules: ['-r'] }, /`modules`/],
  ['a module followed by a command', { modules: ['9p; reboot'] }, /`modules`/],
  ['a module by its path', { modules: ['/lib/x.ko'] }, /`modules`/],
  ['files as a list', { files: ['/etc/motd'] }, /`files`/],
  ['lines of numbers', { init: [1] }, /`init`/],
  ['a hostname with a blank', { hostname: 'a b' }, /`hostname`/],
  ['a hostname with a kernel argument', { hostname: 'a init=/x' }, /`hostname`/],
  ['a log level above 8', { logLevel: 9 }, /`logLevel`/],
  ['an empty cache folder', { cacheDirectory: '' }, /`cacheDirectory`/],
  ['a progress callback that is not a function', { onProgress: true }, /`onProgress`/],
])('refuses %s', (_, options, message) => {
  expect(() => resolveGuestOptions(options)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', shortMessage: expect.stringMatching(message) }),
  )
})
