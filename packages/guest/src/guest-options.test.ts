import { hostArchitecture } from '@coldboot/core/internal'
import { describe, expect, test } from 'vitest'
import { type LinuxGuestOptions, resolveGuestOptions } from './guest-options.ts'

describe('defaults', () => {
  test('are those that the documentation states', () => {
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

  test('stand for what is given as undefined', () => {
    expect(resolveGuestOptions({ flavour: undefined, init: undefined })).toMatchObject({ flavour: 'generic', init: '' })
  })
})

test('lines of `init` may be given as a list', () => {
  expect(resolveGuestOptions({ init: ['a', 'b'] }).init).toBe('a\nb')
})

test('an unknown option is refused, with the nearest known one', () => {
  expect(() => resolveGuestOptions({ module: ['9p'] } as LinuxGuestOptions)).toThrow(
    expect.objectContaining({
      code: 'UNKNOWN_OPTION',
      shortMessage: 'linuxGuest: Unknown option `module`; did you mean `modules`?',
    }),
  )
})

test.each<[string, object, RegExp]>([
  ['an architecture that is none', { arch: 'amd64' }, /`arch`.*x86_64.*"amd64"/],
  ['a property every object has', { arch: 'constructor' }, /`arch`/],
  ['a flavour that is none', { flavour: 'rt' }, /`flavour`/],
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
  ['progress to nothing', { onProgress: true }, /`onProgress`/],
])('%s is refused', (_, options, message) => {
  expect(() => resolveGuestOptions(options)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', shortMessage: expect.stringMatching(message) }),
  )
})
