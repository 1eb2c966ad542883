import { linuxGuest } from '@coldboot/guest'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { fileContract } from '../../test/file-contract.ts'
import { waitContract } from '../../test/wait-contract.ts'
import { channel } from '../devices/channel.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import type { VM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'
import { unitCondition } from './wait-conditions.ts'

let guest: MachineOptions
let vm: VM
beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 30_000 }
  vm = await restore({ devices: [channel('results')] })
}, 300_000)
afterAll(() => vm?.close())

/** A machine at its prompt, from a template. */
function restore(options: MachineOptions = {}): Promise<VM> {
  return startReady({ ...guest, ...options })
}

for (const via of ['agent', 'shell'] as const) {
  fileContract(via, () => vm)
  waitContract(via, () => vm)
}

describe('files', () => {
  test('use the fastest transport', async () => {
    await vm.writeFile('/tmp/unseen', 'x')
    expect(vm.output).not.toContain('unseen')
  })

  test('reject invalid calls before anything is done', async () => {
    await expect(vm.readFile('etc/passwd')).rejects.toThrow(/must be absolute/)
    await expect(vm.writeFile('/tmp/x', '', { mod: 1 } as object)).rejects.toThrow(/did you mean `mode`/)
    await expect(vm.writeFile('/tmp/x', 7 as unknown as string)).rejects.toThrow(/must be a string or bytes/)
    await expect(vm.readFile('/tmp/x', { via: 'guest-agent' })).rejects.toThrow(/does not support `via: .guest-agent.`/)
  })
})

describe('waiting', () => {
  test('rejects invalid conditions at once', async () => {
    await expect(vm.waitForPort(70_000)).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(vm.waitForFile('')).rejects.toMatchObject({ code: 'INVALID_OPTION' })
    await expect(vm.waitUntil('true', { interval: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
  })

  test('a wait for a port without a listener lists no listening ports', async () => {
    await expect(vm.waitForPort(80, { timeout: 100 })).rejects.toThrow(/Listening ports:\n +none$/)
  })

  test('a wait for a unit in a guest without systemd rejects at once', async () => {
    await expect(vm.waitForUnit('web.service')).rejects.toThrow(
      /the condition can no longer become true \(1 try[^]*The guest has no systemctl: it does not run systemd\./,
    )
  })

  test('a wait for a failed unit rejects at once', async () => {
    const systemctl = '#!/bin/sh\ncase $1 in show) echo ActiveState=failed;; *) echo "$*: out of memory";; esac\n'
    await vm.writeFile('/bin/systemctl', systemctl, { mode: 0o755 })
    await expect(vm.waitForUnit('web.service')).rejects.toThrow(
      /unit web\.service to be active but the condition can no longer become true[^]*status .*web\.service: out of memory/,
    )
    await vm.writeFile('/bin/systemctl', '#!/bin/sh\necho ActiveState=active\n', { mode: 0o755 })
    expect(await vm.waitForUnit('web.service')).toMatchObject({ output: 'active', tries: 1 })
  })
})

describe('units of systemd, from the output of `systemctl show` of Debian 12', () => {
  const show = (load: string, active: string, more = 'Type=simple\nResult=success\nInactiveExitTimestampMonotonic=0') =>
    `LoadState=${load}\nActiveState=${active}\n${more}\n`
  const over = 'Type=oneshot\nResult=success\nInactiveExitTimestampMonotonic=5216312'

  test.each([
    ['that runs is active', show('loaded', 'active'), 0, /^active$/m],
    ['that has ended with success is accepted', show('loaded', 'inactive', over), 0, /^over, with success$/m],
    ['that does not exist is reported at once', show('not-found', 'inactive'), 113, /^There is no unit it\.$/m],
    [
      'that is masked is reported at once',
      show('masked', 'inactive'),
      113,
      /^Unit it is masked: it cannot be started\.$/m,
    ],
    ['that failed is reported at once', show('loaded', 'failed'), 113, /^failed$/m],
    ['that was never started is waited for', show('loaded', 'inactive'), 1, /^/],
    [
      'of another kind that is over is waited for',
      show('loaded', 'inactive', over.replace('oneshot', 'simple')),
      1,
      /^/,
    ],
    ['without an answer is waited for', '', 1, /^/],
  ])('a unit %s', async (_title, printed, exitCode, output) => {
    const { command } = unitCondition('it')
    const systemctl = `systemctl() { printf '%s' '${printed}'; }`
    const result = await vm.run(`${systemctl}; ${command}`, { check: false })
    expect(result).toMatchObject({ exitCode, stdout: expect.stringMatching(output) })
  })
})

describe('tests in the guest', () => {
  test('can report KTAP', async () => {
    const run = await vm.runTests('printf "1..1\\n  1..1\\n  ok 1 a\\nok 1 s\\n"', { format: 'ktap' })
    expect(run).toMatchObject({ passed: true, tests: [{ path: ['s', 'a'] }] })
  })

  test('pass with exit code 4 only if kselftest skipped them', async () => {
    const skipped = await vm.runTests('echo "1..0 # SKIP need root"; exit 4', { format: 'tap' })
    expect(skipped).toMatchObject({ passed: true, exitCode: 4, tests: [{ status: 'skipped', message: 'need root' }] })
    const failed = await vm.runTests('printf "1..1\\nok 1 a\\n"; exit 4', { format: 'ktap', check: false })
    expect(failed.passed).toBe(false)
  })

  test('print JUnit in the encoding that it declares', async () => {
    const print = `printf '<?xml version="1.0" encoding="latin1"?><testsuite name="s"><testcase name="\\374"/></testsuite>'`
    expect((await vm.runTests(print, { format: 'junit' })).tests).toMatchObject([{ name: 'ü' }])
  })

  test('tests that a panic interrupts are reported up to it', async () => {
    const seen: MachineEvent[] = []
    const machine = await restore({ observer: () => (event) => seen.push(event) })
    onTestFinished(() => machine.close().then(() => {}))
    const command = "printf '1..3\\nok 1 - first\\nnot ok 2 - second\\n'; echo c >/proc/sysrq-trigger; sleep 1000"
    await expect(machine.runTests(command, { format: 'tap' })).rejects.toMatchObject({ code: 'GUEST_PANICKED' })
    expect(seen.find(({ kind }) => kind === 'tests')).toMatchObject({
      passed: false,
      tests: [
        { name: 'first', status: 'passed' },
        { name: 'second', status: 'failed' },
      ],
    })
  })

  test('tests without a report are an error', async () => {
    await expect(vm.runTests('echo broken; exit 2', { format: 'tap' })).rejects.toMatchObject({
      code: 'TESTS_UNREADABLE',
      message: expect.stringMatching(
        /is not valid tap: it has no test \(exit code 2\)[^]*Standard output:\n {2}broken/,
      ),
    })
    await expect(vm.runTests('true', {} as { format: 'tap' })).rejects.toThrow(
      /`format` must be one of tap, ktap, junit/,
    )
  })
})

describe('events', () => {
  /** A schema of Standard Schema, without a library. */
  const progress: StandardSchemaV1<unknown, { readonly step: number }> = {
    '~standard': {
      version: 1,
      vendor: 'test',
      validate: (value) =>
        typeof value === 'object' && value !== null && 'step' in value && typeof value.step === 'number'
          ? { value: { step: value.step * 10 } }
          : { issues: [{ message: 'must be a number', path: ['step'] }] },
    },
  }
  const send = (lines: readonly string[]): Promise<unknown> =>
    vm.run('cat >/dev/virtio-ports/results', { input: lines.map((line) => `${line}\n`).join('') })

  test('events arrive one by one, converted by the schema, until the last', async () => {
    await send(['{"step":1}', '{"step":2}', '{"event":"done","total":2}'])
    const steps: number[] = []
    const events = vm.events('results', { schema: progress })
    for await (const event of events) steps.push(event.step)
    expect(steps).toEqual([10, 20])
  })

  test('events that the schema rejects fail with the reason', async () => {
    await send(['{"step":"one"}', '{"step":3}'])
    const events = vm.events('results', { schema: progress })
    await expect(events.next()).rejects.toMatchObject({
      code: 'EVENT_INVALID',
      message: expect.stringMatching(/channel "results" does not match its schema: step: must be a number/),
    })
    // The next event is still available to another iteration.
    expect((await vm.events('results').next()).value).toEqual({ step: 3 })
  })

  test('events reject when the signal aborts', async () => {
    const reason = new Error('enough')
    const next = vm.events('results', { signal: AbortSignal.abort(reason) }).next()
    await expect(next).rejects.toMatchObject({ code: 'EXPECT_ABORTED', cause: reason })
  })

  test('events of an unknown channel are rejected with the existing ones', () => {
    expect(() => vm.events('result')).toThrow(/has no channel "result"[^]*It has "results"/)
  })
})

describe('a guest that fails', () => {
  const PANIC = 'echo c >/proc/sysrq-trigger; sleep 1000'

  test.each(['agent', 'shell'] as const)('rejects calls via the %s with the error of the guest', async (via) => {
    const machine = await restore({ devices: [channel('results')] })
    onTestFinished(() => machine.close().then(() => {}))
    const panicked = { code: 'GUEST_PANICKED', message: expect.stringMatching(/panic[^]*What the guest said:/i) }
    const others = [
      machine.waitForFile('/never', { via: 'agent' }),
      machine.run('sleep 1000', { via: 'agent' }),
      machine.events('results').next(),
    ]
    const ended = Promise.allSettled(others)
    await expect(machine.run(PANIC, { via })).rejects.toMatchObject(panicked)
    expect(await ended).toMatchObject(others.map(() => ({ status: 'rejected', reason: panicked })))
    // Later calls are rejected at once.
    await expect(machine.readFile('/proc/version', { via })).rejects.toMatchObject({
      name: 'GuestFileError',
      code: 'GUEST_PANICKED',
    })
    await expect(machine.waitUntil('true', { via })).rejects.toMatchObject({ code: 'GUEST_PANICKED' })
  })
})

describe('a login', () => {
  async function withGetty(): Promise<VM> {
    const init = [
      'echo root:$(mkpasswd -m sha512 -S abcdefgh secret):19000:0:99999:7::: >/etc/shadow',
      "sed -i 's/-.bin.sh -i .dev.tty/\\/sbin\\/getty -L 0 console vt102/' /etc/inittab; kill -HUP 1",
    ]
    const { ready: _, ...options } = await linuxGuest({ init, agent: false })
    const machine = await startReady({ ...options, ready: 'login: ', timeout: 60_000 })
    onTestFinished(() => machine.close().then(() => {}))
    return machine
  }

  test('answers the prompts and finds a shell', async () => {
    const machine = await withGetty()
    await machine.ready()
    await expect(machine.login({ password: 'wrong' })).rejects.toMatchObject({
      code: 'LOGIN_FAILED',
      message: expect.stringMatching(/user root was refused[^]*End of the console:/),
    })
    // The refused login has consumed the next prompt.
    await machine.login({ user: 'root', password: 'secret' })
    expect((await machine.run('echo $USER')).stdout).toBe('root\n')
    // A login does nothing if a shell is already there.
    await machine.login({ password: 'secret' })
  })
})
