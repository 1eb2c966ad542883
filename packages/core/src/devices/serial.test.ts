import { expect, test } from 'vitest'
import { playMachine } from '../../test/attachment.ts'
import { FIRST_FD, qemuArgsOf } from '../../test/device-arguments.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { serial } from './serial.ts'

test('the complete arguments', () => {
  expect(qemuArgsOf([serial(), serial()])).toEqual([
    ...['-chardev', `socket,id=serial0,fd=${FIRST_FD}`, '-device', 'isa-serial,id=uart0,chardev=serial0'],
    ...['-chardev', `socket,id=serial1,fd=${FIRST_FD + 1}`, '-device', 'isa-serial,id=uart1,chardev=serial1'],
  ])
  expect(qemuArgsOf(serial({ model: 'virtio' }), { arch: 's390x', wiring: 'standalone' })).toEqual([
    ...['-chardev', 'null,id=serial0', '-device', 'virtio-serial-ccw,id=ports0'],
    ...['-device', 'virtconsole,bus=ports0.0,chardev=serial0'],
  ])
  expect(qemuArgsOf(serial(), { arch: 'aarch64' })).toContain('virtconsole,bus=ports0.0,chardev=serial0')
})

test('rejects more ports than a PC has, and a uart on a machine with only one', () => {
  const four = [serial(), serial(), serial(), serial()]
  expect(() => qemuArgsOf(four)).toThrow(/a PC has at most 3 serial ports besides its console/)
  const devices = [serial({ model: 'uart' })]
  expect(() => resolveOptions({ arch: 'aarch64', firmware: 'none.bin', devices })).toThrow(
    /aarch64 machines have only one `uart`/,
  )
  expect(() => serial({ model: 'usb' as 'uart' })).toThrow(/`model` must be one of uart, virtio/)
})

test('has its own expect, which ends with the machine', async () => {
  const device = serial()
  const machine = playMachine(undefined, ['serial0'])
  await device.attach?.(machine.context)
  const [guest] = machine.theirs
  guest?.write('login: ')
  await device.expect('login: ')
  device.send('root\n')
  expect(String(guest?.read())).toBe('root\n')
  const waiting = expect(device.expect('# ')).rejects.toMatchObject({ code: 'EXPECT_EXITED' })
  await machine.exit()
  await waiting
  expect(device.output()).toBe('login: ')
  expect(device.hasPrinted(/log(?<rest>in)/)?.groups).toEqual({ rest: 'in' })
})
