import { expect, test } from 'vitest'
import { playMachine } from '../../test/attachment.ts'
import { qemuArgsOf } from '../../test/device-arguments.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { watchdog } from './watchdog.ts'

test('the complete arguments', () => {
  expect(qemuArgsOf(watchdog())).toEqual(['-device', 'i6300esb', '-action', 'watchdog=reset'])
  const paused = qemuArgsOf(watchdog({ action: 'pause' }), { arch: 's390x' })
  expect(paused).toEqual(['-device', 'diag288', '-action', 'watchdog=pause'])
})

test('rejects two in one machine, and an unknown action', () => {
  const devices = [watchdog(), watchdog()]
  expect(() => resolveOptions({ firmware: 'none.bin', devices })).toThrow(/both have device watchdog/)
  expect(() => watchdog({ action: 'explode' as 'reset' })).toThrow(/`action` must be one of reset/)
})

test('rejects when the machine ends before it fires', async () => {
  const device = watchdog()
  const machine = playMachine()
  void device.attach?.(machine.context)
  const waiting = expect(device.fired()).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
  await machine.exit()
  await waiting
})
