import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { commandContract } from '../../test/command-contract.ts'
import { VM } from '../machine/vm.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { startReady } from '../template/start-ready.ts'

let guest: MachineOptions
let shared: VM
beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 30_000 }
  shared = await startReady(guest)
}, 300_000)
afterAll(() => shared.close())

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** A machine that has just started to boot. */
async function start(options: MachineOptions = {}): Promise<VM> {
  return closing(await VM.boot({ ...guest, ...options }))
}

/** A machine at its prompt, from a template. */
async function restore(): Promise<VM> {
  return closing(await startReady(guest))
}

commandContract('shell', () => shared)
commandContract('agent', () => shared)

describe('the agent', () => {
  test('the agent is the default transport, and prints nothing on the console', async () => {
    expect(await shared.run('echo on-the-$((1))st-way')).toMatchObject({ stdout: 'on-the-1st-way\n', via: 'agent' })
    expect(shared.output).not.toContain('1st-way')
  })

  test('runs concurrent commands with separate outputs', async () => {
    const count = 20
    // Each command waits for data of the previous one. Started in reverse order, they end only if they run
    // concurrently.
    const waits = Array.from({ length: count }, (_, index) => {
      const next = index + 1 < count ? `echo $n >/tmp/pipe-${index + 1}` : 'true'
      const first = index === 0 ? 'n=0' : `read n </tmp/pipe-${index}`
      return `${first}; n=$((n + 1)); echo $n; ${next}`
    })
    await shared.run(`cd /tmp; for i in $(seq 1 ${count}); do mkfifo pipe-$i; done`)
    const results = await Promise.all(waits.toReversed().map((command) => shared.run(command)))
    expect(results.map(({ stdout }) => Number(stdout))).toEqual(
      Array.from({ length: count }, (_, index) => count - index),
    )
  })

  test('rejects commands beyond its limit', async () => {
    const controller = new AbortController()
    const running = Array.from({ length: 70 }, () => shared.run('sleep 1000', { signal: controller.signal }))
    const codes = running.map((one) => one.catch((error: unknown) => (error as { code: string }).code))
    await expect(Promise.race(running)).rejects.toMatchObject({ code: 'COMMAND_NOT_STARTED' })
    controller.abort()
    const counted = (await Promise.all(codes)).map(String).toSorted()
    expect(counted.filter((code) => code === 'COMMAND_NOT_STARTED').length).toBeLessThan(10)
    expect((await shared.run('echo on')).stdout).toBe('on\n')
  })

  test('an agent that is killed is restarted, and its commands are reported as lost', async () => {
    const vm = await restore()
    const running = vm.run('sleep 1000')
    await vm.run('kill -9 $PPID', { check: false }).catch(() => {})
    await expect(running).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      message: expect.stringContaining('restarted'),
    })
    expect((await vm.run('echo on')).stdout).toBe('on\n')
  })

  test('the agent does not stop a background program that prints', async () => {
    await shared.run('(sleep 0.3; echo late; echo late >&2; echo $? >/tmp/late) & echo now')
    expect((await shared.run('while [ ! -e /tmp/late ]; do sleep 0.1; done; cat /tmp/late')).stdout).toBe('0\n')
  })

  test('the agent runs commands after many background programs that hold their output', async () => {
    const vm = await restore()
    for (let count = 0; count < 70; count++) await vm.run('sleep 1000 &')
    expect((await vm.run('cat', { input: 'on' })).stdout).toBe('on')
  })

  test('a paused machine does not delay the timeout of a command with input', async () => {
    const vm = await restore()
    await vm.pause()
    const input = Buffer.alloc(10 * 2 ** 20)
    await expect(vm.run('wc -c', { input, timeout: 200 })).rejects.toMatchObject({
      code: 'COMMAND_TIMEOUT',
      message: expect.stringContaining('was not started'),
    })
    await vm.unpause()
    expect((await vm.run('wc -c', { input })).stdout).toBe(`${input.length}\n`)
  })
})

describe('a machine with only a shell, without a controlling terminal', () => {
  test('distinguishes a silent agent from a command that does not end, and runs commands in the shell', async () => {
    const vm = await start({ kernelArgs: 'console=ttyS0 panic=-1 rdinit=/bin/sh', ready: undefined })
    await vm.expect('# ')
    await expect(vm.run('true', { timeout: 300 })).rejects.toMatchObject({ code: 'AGENT_SILENT' })
    const shell = { via: 'shell' } as const
    expect(await vm.run('echo out; echo err >&2; exit 3', { ...shell, check: false })).toMatchObject({
      exitCode: 3,
      stdout: 'out\n',
      stderr: 'err\n',
    })
    // Process 1 has no controlling terminal, so Ctrl-C has no effect.
    await expect(vm.run('echo before; sleep 1000', { ...shell, timeout: 500 })).rejects.toMatchObject({
      code: 'COMMAND_TIMEOUT',
      stdout: 'before\n',
    })
    expect((await vm.run('cat', { ...shell, input: 'on' })).stdout).toBe('on')
  })
})

describe('a machine', () => {
  test('a machine that is still booting delays the command', async () => {
    const vm = await start()
    expect((await vm.run('echo first', { timeout: 30_000 })).stdout).toBe('first\n')
    expect((await vm.ready()).text).toBe(guest.ready)
  })

  test('can still be used with send and expect after a command', async () => {
    const vm = await restore()
    const seen = vm.expect('needle')
    await vm.run('echo needle', { via: 'shell' })
    expect((await seen).before).toContain('_cb')
    await vm.run('echo needle', { via: 'shell' })
    vm.send('echo by-$((40 + 2))\n')
    expect((await vm.expect('by-42')).before).not.toContain('needle')
    expect(vm.hasPrinted('needle')).toBeDefined()
  })

  test('a machine that ends fails the command', async () => {
    const vm = await restore()
    await expect(vm.run('poweroff -f; sleep 100')).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      message: expect.stringContaining('the guest powered off'),
    })
    await expect(vm.run('true')).rejects.toMatchObject({
      code: 'COMMAND_LOST',
      shortMessage: expect.stringMatching(/^The command `true` in "\S+" was not started because the machine ended/),
    })
  })

  test('a console without a shell is distinguished from a command that does not end', async () => {
    const vm = await start({ ready: undefined, kernelArgs: 'quiet console=none' })
    await expect(vm.run('true', { timeout: 300, via: 'shell' })).rejects.toMatchObject({ code: 'SHELL_SILENT' })
  })
})

describe('refused before anything is typed', () => {
  test.each<[what: string, command: unknown, options: object, message: RegExp]>([
    ['an empty command', '', {}, /the command must be a string that is not empty/],
    ['a NUL', 'a\0b', {}, /without NUL/],
    ['no words', [], {}, /list of one or more strings/],
    ['an unknown option', 'true', { timeOut: 1 }, /did you mean `timeout`/],
    ['a name that is none', 'true', { env: { 'a b': '' } }, /`env` must be/],
    ['a way the machine does not have', 'true', { via: 'guest-agent' }, /does not support `via: .guest-agent.`/],
    ['a timeout of 0', 'true', { timeout: 0 }, /above 0/],
  ])('%s', async (_what, command, options, message) => {
    await expect(shared.run(command as string, options)).rejects.toThrow(message)
  })
})
