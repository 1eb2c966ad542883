import fc from 'fast-check'
import { expect, test } from 'vitest'
import { beginPart, encodePage, finishPart, type MemoryPage, PAGE } from './state-records.ts'
import { StateStreamReader } from './state-stream.ts'

const RAM = 2

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value)])
}

const END_OF_SECTION = Buffer.concat([u64(0x10), Buffer.from([0x7e]), u32(RAM)])
const BLOCKS = { 'pc.ram': 4 * PAGE, 'pc.bios': 2 * PAGE }

/** The start of a stream of QEMU. @param subsections bytes after the configuration */
function head(subsections: Buffer = Buffer.alloc(0)): Buffer {
  const sizes = Object.entries(BLOCKS).flatMap(([name, size]) => [text(name), u64(size)])
  return Buffer.concat([
    ...[u32(0x5145_564d), u32(3), Buffer.from([7]), u32(2), Buffer.from('pc'), subsections],
    ...[Buffer.from([1]), u32(RAM), text('ram'), u32(0), u32(4), u64(6 * PAGE + 0x04), ...sizes, END_OF_SECTION],
  ])
}

function section(type: number, ...records: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type]), u32(RAM), ...records, END_OF_SECTION])
}

function pageOf(byte: number, offset: number, block = 'pc.ram'): MemoryPage {
  return { block, offset, content: byte === 0 ? undefined : Buffer.alloc(PAGE, byte) }
}

const DEVICES = Buffer.from('\x04the devices')

/** Reads a stream in chunks of these sizes, in turn. */
function read(stream: Buffer, sizes: readonly number[] = [stream.length]) {
  const parts = {
    head: Buffer.alloc(0),
    blocks: {} as object,
    pages: [] as MemoryPage[],
    commands: Buffer.alloc(0),
    tail: Buffer.alloc(0),
  }
  const reader = new StateStreamReader({
    head(bytes, blocks) {
      parts.head = Buffer.from(bytes)
      parts.blocks = Object.fromEntries(blocks)
    },
    page: ({ content, ...page }) => parts.pages.push({ ...page, content: content && Buffer.from(content) }),
    command(bytes) {
      parts.commands = Buffer.concat([parts.commands, bytes])
    },
    tail(bytes) {
      parts.tail = Buffer.concat([parts.tail, bytes])
    },
  })
  for (let at = 0, turn = 0; at < stream.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1
    const chunk = Buffer.from(stream.subarray(at, at + size))
    reader.push(chunk)
    // The reader must not need the chunk any longer.
    chunk.fill(0xff)
    at += size
  }
  reader.end()
  return parts
}

/** The command before the last part, in QEMU 10.1 and later: command 11, without data. */
const COMMAND = Buffer.from([8, 0, 11, 0, 0])

const SAMPLE = Buffer.concat([
  head(),
  section(2, encodePage(pageOf(1, 0), false), encodePage(pageOf(0, PAGE), true)),
  COMMAND,
  section(3, encodePage(pageOf(7, 0, 'pc.bios'), false), encodePage(pageOf(8, PAGE, 'pc.bios'), true)),
  DEVICES,
])
const SAMPLE_PARTS = {
  head: head(),
  blocks: BLOCKS,
  pages: [pageOf(1, 0), pageOf(0, PAGE), pageOf(7, 0, 'pc.bios'), pageOf(8, PAGE, 'pc.bios')],
  commands: COMMAND,
  tail: Buffer.concat([section(3), DEVICES]),
}

test('separates head, pages and tail of a stream', () => {
  expect(read(SAMPLE)).toEqual(SAMPLE_PARTS)
})

test('reads the same for any chunks', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 6000 }), { minLength: 1 }), (sizes) => {
      expect(read(SAMPLE, sizes)).toEqual(SAMPLE_PARTS)
    }),
    { numRuns: 50 },
  )
})

test('reads the same for any chunks of a long stream', () => {
  const pages = Array.from({ length: 3 }, (_, index) => encodePage(pageOf(index + 1, index * PAGE), index > 0))
  const long = Buffer.concat([head(), ...Array.from({ length: 8 }, () => section(2, ...pages)), section(3), DEVICES])
  const expected = read(long)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1 }), (sizes) => {
      expect(read(long, sizes)).toEqual(expected)
    }),
    { numRuns: 50 },
  )
})

test('a stream made of head, pages and tail has the same parts again', () => {
  const parts = read(SAMPLE)
  const pages = parts.pages.map((page, index) => encodePage(page, parts.pages[index - 1]?.block === page.block))
  const made = Buffer.concat([
    parts.head,
    beginPart(parts.head),
    ...pages,
    finishPart(parts.head),
    parts.commands,
    parts.tail,
  ])
  expect(read(made)).toEqual(SAMPLE_PARTS)
})

test('accepts pages of 4096 bytes if the stream states the page size', () => {
  const bits = (value: number): Buffer =>
    Buffer.concat([Buffer.from([5]), text('configuration/target-page-bits'), u32(1), u32(value)])
  const stream = (value: number): Buffer => Buffer.concat([head(bits(value)), section(3), DEVICES])
  expect(read(stream(12)).tail).toEqual(Buffer.concat([section(3), DEVICES]))
  expect(read(stream(16))).toMatchObject({ pages: [], tail: stream(16) })
})

const KEYS = Buffer.concat([Buffer.from([1]), Buffer.alloc(64, 'keys')])
test('passes on unknown sections, and all data after them', () => {
  const first = section(2, encodePage(pageOf(1, 0), false))
  const last = section(3, encodePage(pageOf(2, PAGE), false))
  expect(read(Buffer.concat([head(), first, KEYS, last, DEVICES]))).toMatchObject({
    pages: [pageOf(1, 0)],
    tail: Buffer.concat([KEYS, last, DEVICES]),
  })
})

test('passes on a stream with an unknown head', () => {
  const stream = Buffer.concat([u32(0x5145_564d), u32(2), Buffer.alloc(64)])
  expect(read(stream, [3])).toMatchObject({ head: Buffer.alloc(0), pages: [], tail: stream })
})

const compressed = Buffer.concat([u64(0x100), text('pc.ram')])
test.each([
  ['a record that is no page', Buffer.concat([head(), section(2, compressed)]), /0x100/],
  ['an early end', head(), /early end/],
])('refuses %s', (_title, stream, reason) => {
  expect(() => read(stream)).toThrow(reason)
})

test('passes on a stream whose head does not end', () => {
  const start = Buffer.concat([u32(0x5145_564d), u32(3), Buffer.from([7]), u32(0xffff_ffff)])
  const stream = Buffer.concat([start, Buffer.alloc(2 << 20)])
  const { head: first, tail } = read(stream, [300_000])
  expect([first.length, tail.length]).toEqual([0, stream.length])
})
