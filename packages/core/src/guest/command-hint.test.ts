import { expect, test } from 'vitest'
import { hintForCommand } from './command-hint.ts'

test.each([
  ['systemctl', 'sh: systemctl: not found\n'],
  ['apt-get', 'warning: first\n/bin/sh: apt-get: not found\n'],
  ['jq', '-sh: jq: not found'],
])('says that busybox guests lack programs such as %s, and which page helps', (name, stderr) => {
  const hint = hintForCommand(127, stderr)
  expect(hint).toMatch(new RegExp(`^The guest has no \`${name}\``))
  expect(hint).toContain('busybox')
  expect(hint).toContain('docs/stock-images.md')
})

test.each([
  'PING 1.1.1.1 (1.1.1.1): 56 data bytes\nping: sendto: Network is unreachable\n',
  "wget: can't connect to remote host (1.1.1.1): Network is unreachable\n",
  "ping: bad address 'example.com'\n",
  'ping: sendto: Network unreachable\n',
])('says that guests have no network, and how to add one, for %j', (stderr) => {
  const hint = hintForCommand(1, stderr)
  expect(hint).toContain('no network')
  expect(hint).toContain('`userNetwork({ restrict: false })`')
  expect(hint).toContain('docs/stock-images.md')
})

test.each([
  ['a command that bash does not find', 127, 'bash: line 1: systemctl: command not found\n'],
  ['a command that dash does not find', 127, 'sh: 1: systemctl: not found\n'],
  ['another exit code', 1, 'sh: systemctl: not found\n'],
  ['a program that no distribution has', 127, 'sh: no-such-program: not found\n'],
  ['other output', 127, 'something: not found\n'],
  ['a failure without output', 1, ''],
  ['success', 0, 'ping: sendto: Network is unreachable\n'],
])('has no advice for %s', (_case, exitCode, stderr) => {
  expect(hintForCommand(exitCode, stderr)).toBeUndefined()
})

test('reads output that is bytes', () => {
  expect(hintForCommand(127, Buffer.from('sh: dnf: not found\n'))).toContain('`dnf`')
})
