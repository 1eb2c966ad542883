import { expect, test } from 'vitest'
import { failed, timedOut } from './command-transport.ts'
import { FileFailure } from './files/file-transport.ts'
import { writeFile } from './files/guest-files.ts'
import { Guest, type GuestOptions } from './guest.ts'
import { portCondition } from './wait-conditions.ts'
import { waitUntil } from './wait-until.ts'

function silentGuest(
  isPaused: boolean,
  { ready = () => Promise.resolve(), signal }: Partial<Pick<GuestOptions, 'ready' | 'signal'>> = {},
): Guest {
  const silence = (): Promise<never> =>
    Promise.reject(new FileFailure('COMMAND_TIMEOUT', 'it did not finish within 5 s'))
  return new Guest({
    name: 'vm',
    transports: [
      {
        via: 'agent',
        run: ({ timeoutMs }) => Promise.resolve(failed(timedOut(timeoutMs), timeoutMs)),
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
