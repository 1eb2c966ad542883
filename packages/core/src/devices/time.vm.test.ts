/** Tests of the time of a guest. */
import { linuxGuest } from '@coldboot/guest'
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { liveMachines } from '../host/machines/live-machines.ts'
import type { VM } from '../machine/vm.ts'
import { startReady } from '../template/start-ready.ts'
import type { Device } from './device.ts'
import { icount } from './icount.ts'
import { rtc } from './rtc.ts'

afterAll(() => expect(liveMachines()).toEqual([]))

const BASE = Date.parse('2038-01-19T03:14:00Z') / 1000

async function start(devices: readonly Device[]): Promise<VM> {
  const options = { timeout: 60_000, accelerator: 'tcg', template: 'required', devices } as const
  const vm = await startReady({ ...(await linuxGuest()), ...options })
  onTestFinished(() => vm.close().then(() => {}))
  return vm
}

const seconds = async (vm: VM, command: string): Promise<number> => Number((await vm.run(command)).stdout)

test('a guest keeps the time of its clock when it is restored', async () => {
  const vm = await start([rtc({ base: new Date(BASE * 1000), clock: 'vm' })])
  const before = await seconds(vm, 'date +%s')
  expect(before - BASE).toBeGreaterThanOrEqual(0)
  expect(before - BASE).toBeLessThan(3600)
  // Reads the real-time clock, which is separate from the clock of the kernel.
  expect(Math.abs((await seconds(vm, 'cat /sys/class/rtc/rtc0/since_epoch')) - before)).toBeLessThan(60)
})

test('the time of an idle guest jumps to its next timer when instructions are counted', async () => {
  const vm = await start([icount({ seed: 1 }), rtc({ base: '2038-01-19T03:14:00Z', clock: 'vm' })])
  // Sleeps longer than the timeout of the command.
  const slept = await seconds(vm, 'before=$(date +%s); sleep 100; echo $(($(date +%s) - before))')
  expect(slept).toBeGreaterThanOrEqual(100)
  expect(slept).toBeLessThan(110)
})
