import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { mountDisk, mountFolder, quoted, type RootScriptOptions, rootScript } from './root-script.ts'

const PLAIN: RootScriptOptions = {
  mount: mountFolder(true),
  start: { kind: 'shell' },
  env: {},
  home: '/root',
  writable: true,
}
const command = { argv: ['/bin/x', "it's", '$(reboot)'], directory: '/a b', uid: 7, gid: 8 }

describe('the script', () => {
  test.each<[string, Partial<RootScriptOptions>]>([
    ['shells', {}],
    ['an init', { start: { kind: 'init', argv: ['/sbin/init', '--x'] } }],
    ['a command', { start: { kind: 'command', command } }],
    ['a disk', { mount: mountDisk(true) }],
    ['a disk that is read-only', { mount: mountDisk(false), writable: false }],
  ])('is valid shell code for %s', (_, options) => {
    expect(execFileSync('sh', ['-n'], { input: rootScript({ ...PLAIN, ...options }), encoding: 'utf8' })).toBe('')
  })

  test('runs a command as its user, in its directory, with only its environment', () => {
    const script = rootScript({ ...PLAIN, start: { kind: 'command', command }, env: { A: "b'c" } })
    expect(script).toContain(
      String.raw`env -i 'A=b'\''c' /bin/nsenter -r. -w'./a b' -S7 -G8 -- '/bin/x' 'it'\''s' '$(reboot)'`,
    )
  })
})

test('quotes any text as one shell word', () => {
  const text = 'a\'b"c$(reboot)`x`\\\n*'
  expect(execFileSync('sh', ['-c', `printf %s ${quoted(text)}`], { encoding: 'utf8' })).toBe(text)
})
