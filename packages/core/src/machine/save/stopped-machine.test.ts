import { expect, test } from 'vitest'
import { Turns } from '../../host/machines/turns.ts'
import { resolveOptions } from '../../spec/machine-spec.ts'
import type { RunningMachine } from '../running-machine.ts'
import { type StoppedGuest, whileStopped } from './stopped-machine.ts'

/** A running machine. @param refused command that QEMU refuses */
function machine(refused?: string) {
  const commands: string[] = []
  const execute = async (command: string): Promise<unknown> => {
    commands.push(command)
    if (command === refused) throw new Error(`${command} was refused`)
    return { running: true }
  }
  const running = {
    spec: resolveOptions({ kernel: process.execPath }),
    machine: { qmp: { execute }, gone: false },
    ended: new Promise(() => {}),
    turns: new Turns(),
  } as unknown as RunningMachine
  const guest = { name: 'vm', run: async () => {}, resync: async () => void commands.push('resync') } as StoppedGuest
  return { commands, running, guest }
}

test('resumes the machine after its state was taken', async () => {
  const { commands, running, guest } = machine()
  expect(await whileStopped(running, guest, { goOn: true }, async () => 'taken')).toBe('taken')
  expect(commands).toEqual(['query-status', 'stop', 'cont', 'resync'])
})

test('a second save waits for the first', async () => {
  const { commands, running, guest } = machine()
  await Promise.all([1, 2].map(() => whileStopped(running, guest, { goOn: true }, async () => {})))
  const once = ['query-status', 'stop', 'cont', 'resync']
  expect(commands).toEqual([...once, ...once])
})

test('the error of the save is reported, not that of resuming the machine', async () => {
  const { running, guest } = machine('cont')
  const saving = whileStopped(running, guest, { goOn: true }, () => Promise.reject(new Error('ENOSPC')))
  await expect(saving).rejects.toThrow('ENOSPC')
})

test('an error of resuming the machine is reported after a save', async () => {
  const { running, guest } = machine('cont')
  await expect(whileStopped(running, guest, { goOn: true }, async () => {})).rejects.toThrow('cont was refused')
})

test('resumes the machine if it cannot be stopped', async () => {
  const { commands, running, guest } = machine('stop')
  await expect(whileStopped(running, guest, { goOn: true }, async () => {})).rejects.toThrow('stop was refused')
  expect(commands).toEqual(['query-status', 'stop', 'cont', 'resync'])
})
