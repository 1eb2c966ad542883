import { expect, test } from 'vitest'
import { decodeFrame } from './frame.ts'
import type { Frame, FrameFilterInput } from './frame-filter.ts'
import { FrameLog } from './frame-log.ts'

function log(
  filter: FrameFilterInput = {},
  limit = 100,
  timeoutMultiplier = 1,
): { log: FrameLog; closed: () => number } {
  let closed = 0
  return { log: new FrameLog(filter, { limit, timeoutMultiplier, onClose: () => closed++ }), closed: () => closed }
}

let number = 0
function frame(overrides: Partial<Frame> = {}): Frame {
  const bytes = Buffer.from('52546300000252546300000188b5', 'hex')
  return {
    time: number++,
    machine: 'server',
    card: '52:54:63:00:00:01',
    direction: 'sent',
    ...decodeFrame(bytes),
    ...overrides,
  }
}

test('keeps the frames that match the filter, by default all sent frames', () => {
  const sent = frame()
  const received = frame({ direction: 'received', machine: 'client' })
  const tcp = frame({
    protocol: 'tcp',
    sourceIp: '10.0.0.1',
    destinationIp: '10.0.0.2',
    sourcePort: 80,
    destinationPort: 9,
  })
  const kept = (filter: FrameFilterInput) => {
    const it = log(filter).log
    for (const one of [sent, received, tcp]) it.add(one)
    return it.history
  }
  expect(kept({})).toEqual([sent, tcp])
  expect(kept({ direction: 'received' })).toEqual([received])
  expect(kept({ machine: 'client' })).toEqual([])
  expect(kept(({ machine }) => machine === 'client')).toEqual([received])
  expect(kept({ port: 9, ip: '10.0.0.1', protocol: 'tcp' })).toEqual([tcp])
  expect(kept({ sourcePort: 9 })).toEqual([])
})

test('rejects an invalid filter', () => {
  expect(() => log({ protocl: 'tcp' } as FrameFilterInput)).toThrow(/did you mean `protocol`/)
  expect(() => log({ protocol: 'http' } as unknown as FrameFilterInput)).toThrow(/`protocol` must be one of arp, icmp/)
  expect(() => log({ port: 65_536 })).toThrow(/`port` must be a whole number from 0 to 65535/)
})

test('for await iterates over earlier and later frames, and ends with the log', async () => {
  const it = log()
  const frames = [frame(), frame(), frame()]
  it.log.add(frames[0] as Frame)
  const read = (async () => {
    const seen: Frame[] = []
    for await (const one of it.log) seen.push(one)
    return seen
  })()
  for (const one of frames.slice(1)) {
    await Promise.resolve()
    it.log.add(one)
  }
  it.log.close()
  it.log.add(frame())
  it.log.close()
  expect(await read).toEqual(frames)
  expect(it.log.history).toEqual(frames)
  expect(it.closed()).toBe(1)
})

test('memory is bounded: the last frames are kept and the others counted', async () => {
  const it = log({}, 10)
  const frames = Array.from({ length: 995 }, () => frame())
  for (const one of frames) it.log.add(one)
  expect(it.log.history).toEqual(frames.slice(-10))
  expect(it.log.forgotten).toBe(985)
  it.log.close()
  const seen: Frame[] = []
  for await (const one of it.log) seen.push(one)
  expect(seen.slice(-10)).toEqual(frames.slice(-10))
  expect(seen.length).toBeLessThan(20)
})

test('waits for a frame, or finds it among earlier ones', async () => {
  const it = log(() => true)
  const early = frame({ protocol: 'arp' })
  it.log.add(early)
  const waiting = it.log.waitFor({ protocol: 'tcp' })
  const late = frame({ protocol: 'tcp', direction: 'received' })
  it.log.add(late)
  expect(await waiting).toBe(late)
  expect(await it.log.waitFor({ protocol: 'arp' })).toBe(early)
})

test('a failed wait lists the frames seen instead', async () => {
  const it = log()
  it.log.add(
    frame({ protocol: 'udp', sourceIp: '10.0.0.1', sourcePort: 68, destinationIp: '10.0.0.2', destinationPort: 67 }),
  )
  const error = await it.log.waitFor({ protocol: 'tcp' }, { timeout: 5 }).catch((it: unknown) => it)
  expect(error).toMatchObject({ code: 'EXPECT_TIMEOUT' })
  expect(String(error)).toMatch(/No matching frame within 5 ms; 1 other frame was seen/)
  expect(String(error)).toMatch('server sent udp 10.0.0.1 port 68 → 10.0.0.2 port 67, 14 bytes')
})

test('a wait accepts fractions of milliseconds, and more than the longest timer', async () => {
  const it = log({}, 100, 1.5)
  const short = await it.log.waitFor({}, { timeout: 3 }).catch((error: unknown) => error)
  expect(short).toMatchObject({ code: 'EXPECT_TIMEOUT', shortMessage: expect.stringMatching(/within 4\.5 ms/) })
  const long = it.log.waitFor({}, { timeout: 1e13 })
  // A later wait with a shorter timeout ends first.
  await it.log.waitFor({}, { timeout: 3 }).catch(() => {})
  const first = frame()
  it.log.add(first)
  expect(await long).toBe(first)
})

test('a wait ends with the log or its signal', async () => {
  const it = log()
  const aborted = it.log.waitFor({}, { signal: AbortSignal.abort(new Error('the test ended')) })
  await expect(aborted).rejects.toMatchObject({ code: 'EXPECT_ABORTED', cause: { message: 'the test ended' } })
  const waiting = it.log.waitFor({})
  it.log.close()
  await expect(waiting).rejects.toMatchObject({ code: 'EXPECT_EXITED' })
  await expect(it.log.waitFor({}, { timeout: -1 })).rejects.toMatchObject({ code: 'INVALID_OPTION' })
})

test('a filter that throws closes the log, and its waits and iterations reject with the error', async () => {
  const it = log(({ tcpFlags }) => (tcpFlags as unknown as string[]).includes('syn'))
  const waiting = it.log.waitFor()
  const iterating = it.log[Symbol.asyncIterator]().next()
  it.log.add(frame())
  it.log.add(frame())
  expect(it.closed()).toBe(1)
  for (const one of [waiting, iterating, it.log.waitFor()]) {
    await expect(one).rejects.toThrow(/Cannot read properties of undefined/)
  }
  expect(it.log.history).toEqual([])
})
