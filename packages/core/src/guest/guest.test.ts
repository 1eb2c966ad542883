import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type CommandTransport, failed, timedOut } from './command-transport.ts'
import { FileFailure } from './files/file-transport.ts'
import { writeFile } from './files/guest-files.ts'
import { copyIn, copyOut } from './files/guest-trees.ts'
import { Guest, type GuestOptions } from './guest.ts'
import { runTests } from './test-reports/run-tests.ts'
import { commandCondition, portCondition } from './wait-conditions.ts'
import { waitUntil } from './wait-until.ts'

function silentGuest(
  isPaused: boolean,
  {
    ready = () => Promise.resolve(),
    signal,
    run = ({ timeoutMs }) => Promise.resolve(failed(timedOut(timeoutMs), timeoutMs)),
  }: Partial<Pick<GuestOptions, 'ready' | 'signal'> & Pick<CommandTransport, 'run'>> = {},
): Guest {
  const silence = (): Promise<never> =>
    Promise.reject(new FileFailure('COMMAND_TIMEOUT', 'it did not finish within 5 s'))
  return new Guest({
    name: 'vm',
    transports: [
      {
        via: 'agent',
        run,
        files: { read: silence, write: silence },
      },
    ],
    timeoutMs: 7000,
    scale: (milliseconds) => milliseconds,
    signal,
    over: new Promise(() => {}),
    ready,
    isPaused: () => isPaused,
    sections: () => ({}),
  })
}

test.each<[what: string, call: (guest: Guest) => Promise<unknown>, code: string]>([
  ['command', (guest) => guest.run('true'), 'COMMAND_TIMEOUT'],
  ['file transfer', (guest) => writeFile(guest, '/x', 'y', {}), 'COMMAND_TIMEOUT'],
  ['wait for a port', (guest) => waitUntil(guest, 'waitForPort', portCondition, 22, {}), 'WAIT_TIMEOUT'],
])('a %s that times out says that the CPUs are paused', async (_what, call, code) => {
  await expect(call(silentGuest(true))).rejects.toMatchObject({
    code,
    hint: 'The CPUs of the machine are paused: call `unpause()`.',
  })
  await expect(call(silentGuest(false))).rejects.toMatchObject({ code, hint: expect.stringContaining('`timeout`') })
})

const CALLS: readonly [what: string, call: (guest: Guest, signal?: AbortSignal) => Promise<unknown>][] = [
  ['command', (guest, signal) => guest.run('true', { signal })],
  ['file transfer', (guest, signal) => writeFile(guest, '/x', 'y', { signal })],
  ['wait for a port', (guest, signal) => waitUntil(guest, 'waitForPort', portCondition, 22, { signal })],
]

test.each(CALLS)('a %s ends when its signal aborts before the machine is ready', async (_what, call) => {
  const controller = new AbortController()
  const running = call(silentGuest(false, { ready: () => new Promise(() => {}) }), controller.signal)
  controller.abort(new Error('enough'))
  await expect(running).rejects.toMatchObject({ code: 'COMMAND_ABORTED', message: expect.stringContaining('abort') })
})

test.each(CALLS)('a %s whose machine is aborted before it is ready says how far the boot came', async (_what, call) => {
  const controller = new AbortController()
  const { promise, reject } = Promise.withResolvers<never>()
  const running = call(silentGuest(false, { ready: () => promise, signal: controller.signal }))
  controller.abort(new Error('the test ended'))
  reject(new Error('no prompt after "Booting"'))
  await expect(running).rejects.toThrow('no prompt after "Booting"')
})

test('a copy of a pipe is refused, because it may have no end', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'coldboot-'))
  onTestFinished(() => rmSync(directory, { recursive: true }))
  execFileSync('mkfifo', [join(directory, 'pipe')])
  await expect(copyIn(silentGuest(false), join(directory, 'pipe'), '/x', {})).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    message: expect.stringContaining('is neither a file nor a directory'),
  })
})

test.each<[what: string, call: (guest: Guest) => Promise<unknown>]>([
  ['a command that is a number', (guest) => guest.run(1n as never)],
  ['a list with a number', (guest) => guest.run(['echo', 1n] as never)],
  ['a wait with null', (guest) => waitUntil(guest, 'waitForPort', portCondition, 22, null as never)],
  ['a path that is a number', (guest) => writeFile(guest, 1n as never, 'x', {})],
  ['tests without options', (guest) => runTests(guest, 'true', undefined as never)],
  ['a copy to nowhere', (guest) => copyOut(guest, '/x', undefined as never, {})],
  ['a copy of nothing', (guest) => copyIn(guest, '', '/x', {})],
])('%s is refused', async (_what, call) => {
  await expect(call(silentGuest(false))).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

test.each([1e300, 1e22, 2 ** 31])('a wait of %d ms gives the shell numbers that it can read', async (timeout) => {
  const commands: string[] = []
  const guest = silentGuest(false, {
    run: ({ command }) => {
      commands.push(command)
      return Promise.resolve({
        exitCode: 0,
        stdout: new Uint8Array(0),
        stderr: Buffer.from('tries 0 1\n'),
        duration: 1,
      })
    },
  })
  await waitUntil(guest, 'waitUntil', commandCondition, 'true', { timeout, interval: 1e-7 })
  expect(commands[0]).toContain('_cb_end=$((_cb_up + 21474837))')
  expect(commands[0]).toContain('sleep 0.001 ')
})
