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
  ['bash', 'bash: line 1: iperf3: command not found\n'],
  ['dash', 'sh: 1: iperf3: not found\n'],
  ['dash with a path', '/bin/sh: 1: iperf3: not found\n'],
])('says that the image lacks a program that %s does not find', (_shell, stderr) => {
  expect(hintForCommand(127, stderr)).toBe(
    'The guest has no `iperf3` on its PATH. Install it when the image is made, or in `prepare`.',
  )
})

test('says which programs a busybox guest has when another one is missing', () => {
  const hint = hintForCommand(127, 'sh: iperf3: not found\n')
  expect(hint).toMatch(/^The guest has no `iperf3` on its PATH\. .*`busybox --list`.*with its `files`/)
})

test('says that a file may lack its dynamic loader when a shell does not find it', () => {
  expect(hintForCommand(127, 'sh: /root/hello: not found\n')).toMatch(/no file `\/root\/hello`, or .*dynamic loader/)
})

test.each([
  ['the mode of a file that is not executable', 'sh: /root/hello: Permission denied\n', /hello` is not.* mode 0o755/],
  ['the mode, with bash', 'bash: line 1: ./run.sh: Permission denied\n', /`\.\/run\.sh` is not executable/],
  ['a program for another processor', 'sh: /root/hello: Exec format error\n', /for another architecture/],
])('explains %s', (_what, stderr, message) => {
  expect(hintForCommand(126, stderr)).toMatch(message)
  expect(hintForCommand(1, stderr)).toBeUndefined()
})

test.each([
  ['another exit code', 1, 'sh: systemctl: not found\n'],
  ['other output', 127, 'something: not found\n'],
  ['a failure without output', 1, ''],
  ['success', 0, 'ping: sendto: Network is unreachable\n'],
])('has no advice for %s', (_case, exitCode, stderr) => {
  expect(hintForCommand(exitCode, stderr)).toBeUndefined()
})

test('reads output that is bytes', () => {
  expect(hintForCommand(127, Buffer.from('sh: dnf: not found\n'))).toContain('`dnf`')
})

test('names the signal that ended a command', () => {
  expect(hintForCommand(139, '')).toBe('Exit code 139 usually means that the signal SIGSEGV ended the command.')
  expect(hintForCommand(200, '')).toBeUndefined()
})
