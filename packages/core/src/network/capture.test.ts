import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { duplexPair } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { Capture } from './capture.ts'
import { prefixed } from './frames/frame-reader.ts'
import { LearningSwitch } from './learning-switch.ts'
import { type Card, Link } from './link.ts'
import { Observers } from './observers.ts'

const folder = mkdtempSync(join(tmpdir(), 'coldboot-test-'))
afterAll(() => rmSync(folder, { recursive: true }))

interface ParsedCapture {
  readonly interfaces: readonly { readonly linkType: number; readonly name: string; readonly mac: string }[]
  readonly packets: readonly {
    readonly on: string
    readonly timeMs: number
    readonly original: number
    readonly bytes: Buffer
    readonly direction: string
  }[]
  readonly statistics: readonly { readonly on: string; readonly seen: number; readonly dropped: number }[]
}

/** Independent parser of the format: draft-ietf-opsawg-pcapng, sections 3 and 4. */
function parse(bytes: Buffer): ParsedCapture {
  const blocks = blocksOf(bytes)
  const bodies = (type: number) => blocks.filter((it) => it.type === type).map(({ body }) => body)
  expect(blocks[0]?.type).toBe(0x0a0d0d0a)
  expect(bodies(0x0a0d0d0a).map((body) => [body.readUInt32LE(0), body.readUInt32LE(4)])).toEqual([[0x1a2b3c4d, 1]])
  const interfaces = bodies(1).map((body) => {
    const options = optionsOf(body.subarray(8))
    return { linkType: body.readUInt16LE(0), name: String(options.get(2)), mac: options.get(6)?.toString('hex') ?? '' }
  })
  const on = (body: Buffer) => interfaces[body.readUInt32LE(0)]?.name ?? 'an interface that was not described'
  const packets = bodies(6).map((body) => {
    const [captured, original] = [body.readUInt32LE(12), body.readUInt32LE(16)]
    const options = optionsOf(body.subarray(20 + Math.ceil(captured / 4) * 4))
    const direction = ['', 'in', 'out'][options.get(2)?.readUInt32LE() ?? 0] ?? ''
    const timeMs = (body.readUInt32LE(4) * 2 ** 32 + body.readUInt32LE(8)) / 1_000
    return { on: on(body), timeMs, original, bytes: body.subarray(20, 20 + captured), direction }
  })
  const statistics = bodies(5).map((body) => {
    const options = optionsOf(body.subarray(12))
    const count = (code: number) => Number(options.get(code)?.readBigUInt64LE())
    return { on: on(body), seen: count(4), dropped: count(5) }
  })
  expect(blocks).toHaveLength(1 + interfaces.length + packets.length + statistics.length)
  return { interfaces, packets, statistics }
}

function blocksOf(bytes: Buffer): { type: number; body: Buffer }[] {
  const blocks: { type: number; body: Buffer }[] = []
  for (let start = 0; start < bytes.length; ) {
    const length = bytes.readUInt32LE(start + 4)
    expect([length % 4, bytes.readUInt32LE(start + length - 4)]).toEqual([0, length])
    blocks.push({ type: bytes.readUInt32LE(start), body: bytes.subarray(start + 8, start + length - 4) })
    start += length
  }
  return blocks
}

function optionsOf(bytes: Buffer): Map<number, Buffer> {
  const options = new Map<number, Buffer>()
  for (let start = 0; bytes.readUInt16LE(start) !== 0; ) {
    const length = bytes.readUInt16LE(start + 2)
    options.set(bytes.readUInt16LE(start), bytes.subarray(start + 4, start + 4 + length))
    start += 4 + Math.ceil(length / 4) * 4
  }
  return options
}

function linkOf(card: Card, exchange = new LearningSwitch<Link>(), observers = new Observers()) {
  const [guest, stream] = duplexPair()
  const surroundings = { switch: exchange, observers, isCut: () => false, conditionerOf: () => undefined }
  return { guest, link: new Link(card, stream, surroundings, () => {}) }
}

const SERVER: Card = { machine: 'server', name: 'server/nic0', mac: '52:54:63:00:00:00', model: 'virtio', index: 0 }
const CLIENT: Card = { machine: 'client', name: 'client/nic0', mac: '52:54:63:00:00:01', model: 'virtio', index: 1 }
const QUESTION = Buffer.from(
  `ffffffffffff525463000000${'0806000108000604000152546300000000000000'}${'00'.repeat(24)}`,
  'hex',
)

test('captures each frame at each card, with time and direction', async () => {
  const observers = new Observers()
  const exchange = new LearningSwitch<Link>()
  const server = linkOf(SERVER, exchange, observers)
  const capture = observers.capture(join(folder, 'new folder', 'all.pcapng'), [server.link])
  const client = linkOf(CLIENT, exchange, observers)
  observers.linkAdded(client.link)
  const odd = Buffer.concat([Buffer.from('525463000000525463000001 88b5'.replace(' ', ''), 'hex'), Buffer.from('odd')])
  const before = performance.timeOrigin + performance.now()
  server.guest.write(prefixed(QUESTION))
  await turn()
  client.guest.write(prefixed(odd))
  await turn()
  const after = performance.timeOrigin + performance.now()
  expect(capture.frames).toBe(4)
  await capture.stop()
  await capture.stop()
  server.guest.write(prefixed(QUESTION))
  await turn()
  expect(statSync(capture.file).mode & 0o777).toBe(0o600)
  const { interfaces, packets, statistics } = parse(readFileSync(capture.file))
  expect(interfaces).toEqual([
    { linkType: 1, name: 'server/nic0', mac: '525463000000' },
    { linkType: 1, name: 'client/nic0', mac: '525463000001' },
  ])
  expect(packets).toMatchObject([
    { on: 'server/nic0', direction: 'out', bytes: QUESTION },
    { on: 'client/nic0', direction: 'in', bytes: QUESTION },
    { on: 'client/nic0', direction: 'out', bytes: odd },
    { on: 'server/nic0', direction: 'in', bytes: odd },
  ])
  for (const { timeMs, original, bytes } of packets) {
    expect(original).toBe(bytes.length)
    expect(timeMs).toBeGreaterThanOrEqual(before - 1)
    expect(timeMs).toBeLessThanOrEqual(after + 1)
  }
  expect(statistics).toEqual([
    { on: 'server/nic0', seen: 2, dropped: 0 },
    { on: 'client/nic0', seen: 2, dropped: 0 },
  ])
})

test('captures the selected cards up to its limit, and counts dropped frames', async () => {
  const [server, client] = [linkOf(SERVER), linkOf(CLIENT)]
  const concerns = (card: Card): boolean => card.mac === SERVER.mac
  const capture = new Capture(join(folder, 'cut.pcapng'), () => {}, { concerns, maxBytes: 250 })
  for (const { link } of [server, client]) capture.addInterface(link)
  for (let frame = 0; frame < 4; frame++) {
    for (const { link } of [server, client]) capture.add(link, 'sent', Date.now(), QUESTION)
  }
  expect([capture.frames, capture.dropped]).toEqual([2, 2])
  await capture.stop()
  const { interfaces, packets, statistics } = parse(readFileSync(capture.file))
  expect(interfaces).toMatchObject([{ name: 'server/nic0' }])
  expect(packets).toHaveLength(2)
  expect(statistics).toEqual([{ on: 'server/nic0', seen: 4, dropped: 2 }])
})

test('rejects a file that cannot be created', async () => {
  expect(() => new Capture(folder, () => {})).toThrow(/The capture cannot be written to .*EISDIR/)
  expect(() => new Capture('/dev/null/a.pcapng', () => {})).toThrow(
    /The capture cannot be written to \/dev\/null\/a.pcapng/,
  )
})

test('reports a full disk when the capture stops', async ({ skip }) => {
  if (process.platform !== 'linux') skip('only Linux has /dev/full')
  const capture = new Capture('/dev/full', () => {})
  capture.add(linkOf(SERVER).link, 'sent', Date.now(), QUESTION)
  await expect(capture.stop()).rejects.toMatchObject({ code: 'ENOSPC' })
})

test('tcpdump reads the capture', async ({ skip }) => {
  if (!hasTcpdump()) skip('tcpdump is not installed')
  const capture = new Capture(join(folder, 'tcpdump.pcapng'), () => {})
  capture.add(linkOf(SERVER).link, 'sent', Date.UTC(2026, 0, 2, 3, 4, 5, 678), QUESTION)
  await capture.stop()
  const text = execFileSync('tcpdump', ['-n', '-tttt', '-r', capture.file], {
    encoding: 'utf8',
    env: { ...process.env, TZ: 'UTC' },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  expect(text).toMatch(/^2026-01-02 03:04:05\.678000 ARP, Request who-has 0\.0\.0\.0 tell 0\.0\.0\.0, length 42/)
})

function hasTcpdump(): boolean {
  try {
    execFileSync('tcpdump', ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
