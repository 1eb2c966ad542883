import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { linuxGuest } from '@coldboot/guest'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { quickGuest } from '../../test/quick-guest.ts'
import type { MachineEvent } from '../events/machine-event.ts'
import type { MachineObserver, ObservedMachine } from '../spec/machine-observer.ts'
import type { MachineOptions } from '../spec/machine-options.ts'
import { endPool } from '../template/pool/end-pool.ts'
import { warmPool } from '../template/pool/warm-pool.ts'
import { Template } from '../template/template.ts'
import { VM } from './vm.ts'

const cache = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
const quick = quickGuest(join(cache, 'quick.img'))
let guest: MachineOptions

beforeAll(async () => {
  guest = { ...(await linuxGuest()), timeout: 60_000 }
  vi.stubEnv('COLDBOOT_CACHE', cache)
}, 300_000)
afterAll(async () => {
  await endPool()
  vi.unstubAllEnvs()
  rmSync(cache, { recursive: true, force: true })
})

/** An observer, and the events of each of its machines. */
function recording() {
  const machines: (ObservedMachine & { readonly events: (MachineEvent & { readonly timeMs: number })[] })[] = []
  const observer: MachineObserver = (machine) => {
    const events: (MachineEvent & { readonly timeMs: number })[] = []
    machines.push({ ...machine, events })
    return (event, timeMs) => void events.push({ ...event, timeMs })
  }
  return { machines, observer }
}

function closing(vm: VM): VM {
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

/** QMP commands and events, in order. */
const qmpOf = (events: readonly MachineEvent[]): unknown[] =>
  events.flatMap((event) => (event.kind === 'qmp' ? [event.message['execute'] ?? event.message['event']] : []))

const others = <Event extends MachineEvent>(events: readonly Event[]): Event[] =>
  events.filter(({ kind }) => kind !== 'qmp')

test('reports input, waits, commands, QMP messages and the end of a booting machine', async () => {
  const { machines, observer } = recording()
  const vm = closing(await VM.boot({ ...guest, observer }))
  await vm.ready()
  vm.send('echo one-$((1))\n')
  await vm.expect(/one-\d/)
  await expect(vm.expect('never', { timeout: 1 })).rejects.toThrow('never')
  await vm.run('exit 3', { check: false, via: 'agent' })
  await vm.close()

  expect(machines).toEqual([
    expect.objectContaining({
      name: 'vm',
      arch: vm.spec.arch,
      memoryMib: vm.spec.memoryMib,
      start: 'cold',
      commandLine: vm.commandLine,
      commandLineQuoted: vm.commandLineQuoted,
      logFile: vm.logFile,
      qemuVersion: expect.stringMatching(/^\d+\.\d+\.\d+/),
    }),
  ])
  const events = machines[0]?.events ?? []
  const location = expect.stringContaining('machine-observer.vm.test.ts:')
  const ready = { id: 1, pattern: '"coldboot# "', timeoutMs: vm.spec.bootTimeoutMs }
  const wait = { id: 2, pattern: '/one-\\d/', timeoutMs: 60_000, location }
  const late = { id: 3, pattern: '"never"', timeoutMs: 1, location }
  const command = { id: 1, command: 'exit 3', via: 'agent' }
  expect(others(events)).toEqual([
    expect.objectContaining({ kind: 'expect', ...ready }),
    expect.objectContaining({ kind: 'match', ...ready, text: 'coldboot# ', duration: expect.any(Number) }),
    expect.objectContaining({ kind: 'send', data: 'echo one-$((1))\n' }),
    expect.objectContaining({ kind: 'expect', ...wait }),
    expect.objectContaining({ kind: 'match', ...wait, text: 'one-1' }),
    expect.objectContaining({ kind: 'expect', ...late }),
    expect.objectContaining({ kind: 'unmatched', ...late, code: 'EXPECT_TIMEOUT' }),
    expect.objectContaining({ kind: 'command', ...command }),
    expect.objectContaining({ kind: 'result', ...command, exitCode: 3 }),
    expect.objectContaining({ kind: 'exit', reason: 'host-qmp-quit' }),
  ])
  expect(qmpOf(events)).toEqual(expect.arrayContaining(['qmp_capabilities', 'quit', 'SHUTDOWN']))
  const times = events.map(({ timeMs }) => timeMs)
  expect(times).toEqual([...times].sort((a, b) => a - b))
  expect(times[0]).toBeGreaterThanOrEqual(0)
})

describe('a template', () => {
  test('reports the boot that built it and the machines started from it, also pooled ones', async () => {
    const { machines, observer } = recording()
    const template = await Template.build({ ...guest, observer }, { pool: true })
    const first = closing(await template.start())
    await warmPool.settled()
    const second = closing(await template.start({ name: 'second' }))
    await second.run('true')
    await Promise.all([first.close(), second.close()])
    expect(machines.map(({ start, name }) => `${start} ${name}`)).toEqual(['cold vm', 'template vm', 'template second'])
    const ahead = machines[2]?.events ?? []
    // Messages from before the machine had an owner come first, with times before its start.
    expect(ahead[0]).toMatchObject({ kind: 'qmp', direction: 'sent', message: { execute: 'qmp_capabilities' } })
    expect(ahead[0]?.timeMs).toBeLessThan(0)
    expect(qmpOf(ahead)).toEqual(expect.arrayContaining(['migrate-incoming', 'cont', 'quit']))
    expect(others(ahead).map(({ kind }) => kind)).toEqual(expect.arrayContaining(['command', 'result', 'exit']))
    expect(others(ahead).every(({ timeMs }) => timeMs >= 0)).toBe(true)
  })

  test('is the same with any observer', async () => {
    const unobserved = await Template.build(guest)
    const observed = await Template.build({ ...guest, observer: recording().observer, logFile: join(cache, 'log') })
    expect(observed.key).toBe(unobserved.key)
  })

  test('keeps the output of its boot although the log of the boot is filtered', async () => {
    const logFile = {
      path: join(cache, 'filtered.log'),
      filter: () => ({ push: () => Buffer.from('.'), end: () => Buffer.from('!') }),
    }
    const template = await Template.build({ ...quick, logFile }, { key: 'filtered' })
    expect(readFileSync(logFile.path, 'utf8')).toMatch(/^\.+!$/)
    const vm = closing(await template.start())
    expect(vm.hasPrinted('SeaBIOS')).toBeDefined()
    expect((await vm.ready()).text).toBe(quick.ready)
  })
})

test('an observer that throws only causes a warning', async () => {
  const warnings: string[] = []
  const onWarning = (warning: Error): void => void warnings.push(warning.message)
  process.on('warning', onWarning)
  onTestFinished(() => void process.off('warning', onWarning))
  const observer: MachineObserver = () => () => {
    throw new Error('no room')
  }
  const vm = closing(await VM.boot({ ...quick, observer }))
  await vm.ready()
  expect(warnings).toEqual([expect.stringContaining('no room')])
})
