import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { playMachine } from '../../test/attachment.ts'
import { FIRST_FD, kernelArgsOf, qemuArgsOf } from '../../test/device-arguments.ts'
import { resolveOptions } from '../spec/machine-spec.ts'
import { channel } from './channel.ts'

function attached() {
  const device = channel('results')
  const machine = playMachine()
  void device.attach?.(machine.context)
  const [guest] = machine.theirs
  if (!guest) throw new Error('no stream')
  return { device, guest, machine }
}

test('the complete arguments', () => {
  expect(qemuArgsOf([channel('a'), channel('b')])).toEqual([
    ...['-chardev', `socket,id=channel0,fd=${FIRST_FD}`, '-device', 'virtio-serial-pci,id=ports0'],
    ...['-device', 'virtserialport,bus=ports0.0,chardev=channel0,name=a'],
    ...['-chardev', `socket,id=channel1,fd=${FIRST_FD + 1}`, '-device', 'virtio-serial-pci,id=ports1'],
    ...['-device', 'virtserialport,bus=ports1.0,chardev=channel1,name=b'],
  ])
  expect(qemuArgsOf(channel('a'), { arch: 's390x', wiring: 'standalone' })).toEqual([
    ...['-chardev', 'null,id=channel0', '-device', 'virtio-serial-ccw,id=ports0'],
    ...['-device', 'virtserialport,bus=ports0.0,chardev=channel0,name=a'],
  ])
})

test('passes its name to the guest', () => {
  expect(kernelArgsOf(channel('results'))).toEqual(['coldboot.channel=results'])
})

test('rejects invalid and duplicate names', () => {
  for (const name of ['', 'a b', 'a,b=c', 'x'.repeat(65)])
    expect(() => channel(name)).toThrow(/channel: the name must be/)
  const devices = [channel('a'), channel('a')]
  expect(() => resolveOptions({ firmware: 'none.bin', devices })).toThrow(/both have channel a/)
})

test('transfers bytes in both directions', async () => {
  const { device, guest, machine } = attached()
  device.stream().write('ping')
  expect(String((await once(guest, 'data'))[0])).toBe('ping')
  guest.end('pong')
  expect(await text(device.stream())).toBe('pong')
  expect(device.of(machine.vm).stream()).toBe(device.stream())
})

test('reads events as JSON lines up to the done event, for any chunks', async () => {
  const { device, guest } = attached()
  const lines = '{"n":1}\n\n"é🧪"\n{"event":"done","passed":3}\nnot read'
  for (const byte of Buffer.from(lines)) guest.write(Buffer.of(byte))
  const events = device.events()
  expect(await events.next()).toEqual({ done: false, value: { n: 1 } })
  expect(await events.next()).toEqual({ done: false, value: 'é🧪' })
  expect(await events.next()).toEqual({ done: true, value: { event: 'done', passed: 3 } })
})

test('continues an interrupted iteration over events', async () => {
  const { device, guest } = attached()
  guest.write('1\n2\n3\n{"event":"done"}\n')
  for await (const event of device.events()) {
    expect(event).toBe(1)
    break
  }
  const rest: unknown[] = []
  for await (const event of device.events()) rest.push(event)
  expect(rest).toEqual([2, 3])
})

test('rejects with the last event if the machine ends before the done event', async () => {
  const { device, guest, machine } = attached()
  guest.end('{"test":"a"}\n{"test":"b"}')
  const seen: unknown[] = []
  const reading = (async () => {
    for await (const event of device.events()) seen.push(event)
  })()
  await expect(reading).rejects.toMatchObject({ code: 'CHANNEL_ENDED' })
  await expect(reading).rejects.toThrow(
    /ended before channel "results" of machine "vm" sent its last event \(2 events[\s\S]*"test":"b"/,
  )
  expect(seen).toEqual([{ test: 'a' }, { test: 'b' }])
  await machine.exit()
})

test('reads data from before the exit, and rejects writes after it', async () => {
  const { device, guest, machine } = attached()
  const sent = 'x'.repeat(300_000)
  guest.write(sent)
  await machine.exit()
  expect(await text(device.stream())).toBe(sent)
  const failure = once(device.stream(), 'error')
  device.stream().write('late')
  expect((await failure)[0]).toMatchObject({ code: 'MACHINE_EXITED' })
})

test('rejects a line that is not JSON, and quotes it', async () => {
  const { device, guest } = attached()
  guest.write('Segmentation fault\n')
  await expect(device.events().next()).rejects.toMatchObject({
    code: 'CHANNEL_GARBLED',
    shortMessage: expect.stringContaining('"Segmentation fault"'),
  })
})

test('an aborted wait for an event loses nothing', async () => {
  const { device, guest } = attached()
  const waiting = device.events({ signal: AbortSignal.abort('enough') }).next()
  await expect(waiting).rejects.toMatchObject({ code: 'EXPECT_ABORTED', cause: 'enough' })
  guest.write('1\n')
  expect(await device.events().next()).toEqual({ done: false, value: 1 })
})
