import { expect, test } from 'vitest'
import { qemuArgsOf } from '../../test/device-arguments.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { icount } from './icount.ts'
import { rtc } from './rtc.ts'

test('rtc: the complete arguments', () => {
  expect(qemuArgsOf(rtc())).toEqual(['-rtc', 'base=utc,clock=host'])
  const args = ['-rtc', 'base=2038-01-19T03:14:00,clock=vm']
  expect(qemuArgsOf(rtc({ base: new Date('2038-01-19T03:14:00.700Z'), clock: 'vm' }))).toEqual(args)
  expect(qemuArgsOf(rtc({ base: '2038-01-19T04:14:00+01:00', clock: 'vm' }))).toEqual(args)
})

test('icount: the complete arguments', () => {
  expect(qemuArgsOf(icount())).toEqual(['-icount', 'shift=3,align=off,sleep=off'])
  expect(qemuArgsOf(icount({ shift: 7, sleep: true, seed: 5 }))).toEqual([
    ...['-icount', 'shift=7,align=off,sleep=on', '-seed', '5'],
  ])
})

test.each([
  [() => rtc({ base: 'soon' }), /`base` must be a valid date/],
  [() => rtc({ base: new Date(Number.NaN) }), /`base` must be a valid date/],
  [() => rtc({ base: '1969-12-31T00:00:00Z' }), /of the years 1970 to 2199/],
  [() => rtc({ clock: 'rt' as 'vm' }), /`clock` must be one of host, vm/],
  [() => icount({ shift: 11 }), /`shift` must be a whole number from 0 to 10/],
  [() => icount({ sleep: 'off' as unknown as boolean }), /`sleep`/],
] as const)('%o is rejected', (make, message) => {
  expect(make).toThrow(message)
})

test('instructions can only be counted without hardware acceleration, once', () => {
  const machine = (devices: ReturnType<typeof icount>[], accelerator: 'kvm' | 'tcg') =>
    resolveOptions({ firmware: 'none.bin', accelerator, devices })
  expect(() => machine([icount()], 'kvm')).toThrow(/cannot count the instructions of CPUs with kvm/)
  expect(() => machine([icount(), icount()], 'tcg')).toThrow(/both have device icount/)
  expect(machine([icount()], 'tcg').devices).toHaveLength(1)
})
