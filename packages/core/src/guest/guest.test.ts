import { expect, test } from 'vitest'
import { failed, timedOut } from './command-transport.ts'
import { FileFailure } from './files/file-transport.ts'
import { writeFile } from './files/guest-files.ts'
import { Guest } from './guest.ts'
import { portCondition } from './wait-conditions.ts'
import { waitUntil } from './wait-until.ts'

function silentGuest(isPaused: boolean): Guest {
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
    signal: undefined,
    over: new Promise(() => {}),
    ready: () => Promise.resolve(),
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
