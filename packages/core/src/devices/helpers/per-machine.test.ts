import { expect, test } from 'vitest'
import { playMachine } from '../../../test/attachment.ts'
import { PerMachine } from './per-machine.ts'

const named = (machineName: string) => {
  const machine = playMachine()
  return { ...machine, context: { ...machine.context, machineName } }
}

test('returns the state of the only running machine, and of the last one after its end', async () => {
  const states = new PerMachine<string>('display')
  const first = named('first')
  states.add(first.context, 'one')
  expect(states.get()).toBe('one')
  await first.exit()
  expect(states.get()).toBe('one')
  states.add(named('second').context, 'two')
  expect(states.get()).toBe('two')
  expect(states.get(first.vm)).toBe('one')
})

test('requires a selection if several machines run', () => {
  const states = new PerMachine<string>('display')
  const [first, second] = [named('first'), named('second')]
  states.add(second.context, 'two')
  states.add(first.context, 'one')
  expect(() => states.get()).toThrow(/This display is part of 2 running machines: "first", "second"/)
  expect(() => states.get()).toThrow(expect.objectContaining({ code: 'DEVICE_CONFLICT' }))
  expect(states.get(second.vm)).toBe('two')
})

test('throws before a start, and for a machine without the device', () => {
  const states = new PerMachine<string>('display')
  expect(() => states.get()).toThrow(expect.objectContaining({ code: 'DEVICE_NOT_ATTACHED' }))
  expect(() => states.get({})).toThrow(/not part of that machine/)
})

test('rejects the same object twice in a machine', () => {
  const states = new PerMachine<string>('display')
  const { context } = playMachine()
  states.add(context, 'one')
  expect(() => states.add(context, 'two')).toThrow(/same display object is in the `devices` of machine "vm" twice/)
})
