import { type Duplex, duplexPair } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { prefixed } from './frames/frame-reader.ts'
import { FULL_BYTES, STALL_MS, SwitchPort } from './switch-port.ts'

const FRAME = prefixed(Buffer.alloc(1_514, 7))

vi.mock(import('../host/clock.ts'), async (original) => {
  const { FAKEABLE_CLOCK } = await import('../../test/fakeable-clock.ts')
  return { ...(await original()), ...FAKEABLE_CLOCK }
})

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

function port(): { port: SwitchPort; guest: Duplex; received: string[]; closed: () => number } {
  const [guest, ours] = duplexPair()
  const received: string[] = []
  let closed = 0
  const made = new SwitchPort(ours, {
    received: (frames) => received.push(`${frames.length} bytes`),
    closed: () => closed++,
  })
  return { port: made, guest, received, closed: () => closed }
}

/** Sends until the queue is full, and then some more. */
function fill(target: SwitchPort, sender: SwitchPort | undefined): number {
  let sent = 0
  while (sent < FULL_BYTES + 10 * FRAME.length) {
    target.send(FRAME, sender)
    sent += FRAME.length
  }
  return sent
}

/** Number of bytes that a guest receives when it reads all available data. */
async function readAll(guest: Duplex): Promise<number> {
  let bytes = 0
  guest.on('data', (chunk: Buffer) => {
    bytes += chunk.length
  })
  for (let before = -1; before !== bytes || bytes === 0; await turn()) before = bytes
  return bytes
}

test('transfers frames to and from the guest', async () => {
  const it = port()
  it.port.send(FRAME, undefined)
  it.guest.write(FRAME)
  await turn()
  expect(it.guest.read()).toEqual(FRAME)
  expect(it.received).toEqual(['1518 bytes'])
})

test('does not read from senders to a slow guest, and loses nothing', async () => {
  const slow = port()
  const sender = port()
  const sent = fill(slow.port, sender.port)
  sender.guest.write(FRAME)
  await turn()
  expect(sender.received).toEqual([])
  expect(await readAll(slow.guest)).toBe(sent)
  await turn()
  expect(sender.received).toEqual(['1518 bytes'])
  expect(slow.port.droppedBytes).toBe(0)
})

test('a guest that reads nothing blocks its senders only for a moment, then loses frames', async () => {
  const stopped = port()
  const sender = port()
  const sent = fill(stopped.port, sender.port)
  sender.guest.write(FRAME)
  await vi.advanceTimersByTimeAsync(STALL_MS)
  await turn()
  expect(sender.received).toEqual(['1518 bytes'])
  fill(stopped.port, sender.port)
  expect(stopped.port.droppedBytes).toBe(sent)
  // The guest reads again: queued and new frames arrive.
  expect(await readAll(stopped.guest)).toBe(sent)
  stopped.port.send(FRAME, sender.port)
  await turn()
  expect(stopped.port.droppedBytes).toBe(sent)
})

test('a guest that reads slowly keeps blocking its senders', async () => {
  const slow = port()
  const sender = port()
  const sent = fill(slow.port, sender.port)
  sender.guest.write(FRAME)
  let read = 0
  for (let step = 0; step < 3; step++) {
    await vi.advanceTimersByTimeAsync(STALL_MS - 1)
    read += (slow.guest.read() as Buffer | null)?.length ?? 0
    await turn()
  }
  expect(read).toBeGreaterThan(0)
  expect(sender.received).toEqual([])
  expect(read + (await readAll(slow.guest))).toBe(sent)
  expect(slow.port.droppedBytes).toBe(0)
})

test('broadcast frames never block their sender, and are dropped if the queue is full', async () => {
  const slow = port()
  const sender = port()
  const sent = fill(slow.port, undefined)
  sender.guest.write(FRAME)
  await turn()
  expect(sender.received).toEqual(['1518 bytes'])
  expect(slow.port.droppedBytes).toBeGreaterThan(0)
  expect(await readAll(slow.guest)).toBe(sent - slow.port.droppedBytes)
})

test('reads the rest from an ending machine that was blocked, and sends it nothing', async () => {
  const slow = port()
  const leaving = port()
  fill(slow.port, leaving.port)
  leaving.guest.end(FRAME)
  leaving.port.leave()
  leaving.port.send(FRAME, slow.port)
  await turn()
  await turn()
  expect(leaving.received).toEqual(['1518 bytes'])
  expect(leaving.guest.read()).toBeNull()
})

test('a closed port unblocks its senders', async () => {
  const slow = port()
  const sender = port()
  fill(slow.port, sender.port)
  sender.guest.write(FRAME)
  slow.port.close()
  await turn()
  expect(sender.received).toEqual(['1518 bytes'])
  expect([slow.closed(), sender.closed()]).toEqual([1, 0])
})

test('the end of a machine closes its port once', async () => {
  const it = port()
  it.guest.destroy(new Error('read ECONNRESET'))
  it.guest.on('error', () => {})
  await turn()
  it.port.close()
  expect(it.closed()).toBe(1)
  it.port.send(FRAME, undefined)
})

test('closes an invalid stream with a warning', async () => {
  const it = port()
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  it.guest.write(Buffer.from('GET / HTTP/1.1\r\n'))
  await turn()
  expect(it.closed()).toBe(1)
  expect(warned).toHaveBeenCalledWith(expect.stringContaining('A frame of 1195725856 bytes'), 'ColdbootWarning')
  warned.mockRestore()
})
