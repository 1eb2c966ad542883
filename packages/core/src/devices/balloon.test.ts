import { expect, test } from 'vitest'
import { playMachine } from '../../test/attachment.ts'
import { qemuArgsOf } from '../../test/device-arguments.ts'
import { balloon } from './balloon.ts'

const MIB = 1 << 20

test('the complete arguments', () => {
  expect(qemuArgsOf(balloon())).toEqual(['-device', 'virtio-balloon-pci'])
  expect(qemuArgsOf(balloon(), { arch: 's390x' })).toEqual(['-device', 'virtio-balloon-ccw'])
})

test('does not wait for the current size', async () => {
  const device = balloon()
  void device.attach?.(playMachine((command) => (command === 'query-balloon' ? { actual: 96 * MIB } : {})).context)
  expect(await device.resize('96M')).toBe(96)
})

test('rejects when the machine ends first, or the wait is aborted', async () => {
  const device = balloon()
  const machine = playMachine(() => ({ actual: 256 * MIB }))
  void device.attach?.(machine.context)
  const aborted = device.resize('64M', { signal: AbortSignal.abort() })
  await expect(aborted).rejects.toMatchObject({ code: 'EXPECT_ABORTED' })
  const waiting = expect(device.resize('64M')).rejects.toMatchObject({ code: 'MACHINE_EXITED' })
  await machine.exit()
  await waiting
})

test('rejects a size without a unit', async () => {
  const device = balloon()
  void device.attach?.(playMachine().context)
  // @ts-expect-error the type requires a unit too
  await expect(device.resize('64')).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})
