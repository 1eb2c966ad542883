/** Fuzz tests with damaged answers and a damaged state of QEMU. */
import { duplexPair } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cuts, damaged, fuzz, pieces } from '../../test/fuzz.ts'
import { ColdbootError } from '../errors.ts'
import { QmpClient } from './qmp.ts'
import { encodePage, PAGE } from './state/state-records.ts'
import { StateStreamReader, UnknownStateError } from './state/state-stream.ts'

const ANSWERS = Buffer.from(
  [
    '{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": []}}',
    '{"return": {}, "id": 1}',
    '{"event": "SHUTDOWN", "data": {"guest": true}, "timestamp": {"seconds": 2, "microseconds": 5}}',
    '{"return": {"status": "running"}, "id": 2}',
    '{"error": {"class": "GenericError", "desc": "no"}, "id": 3}\r\n',
  ].join('\r\n'),
)
const JSON_LINES = [
  'null',
  '5',
  '[]',
  '""',
  '{}',
  '{"id": null}',
  '{"event": null}',
  '{"event": {}, "data": null}',
].concat(
  ...[
    '{"event": "STOP", "data": 5, "timestamp": null}',
    '{"event": "STOP", "timestamp": 5}',
    '{"QMP": null}',
    '{"QMP": {"version": {"qemu": null}}}',
    '{"error": null, "id": 1}',
    '{"error": 5, "id": 2}',
    '{"error": {"desc": {}}, "id": 3}',
  ],
)
const line = fc.oneof(
  fc.constantFrom(...JSON_LINES),
  fc.json({ maxDepth: 3 }),
  fc
    .record(
      { id: fc.oneof(fc.nat(4), fc.anything()), return: fc.jsonValue(), error: fc.jsonValue() },
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify(value)),
)
const messages = fc.oneof(
  damaged(ANSWERS),
  fc.array(line, { maxLength: 6 }).map((lines) => Buffer.from(lines.map((text) => `${text}\n`).join(''))),
)

test('a client resolves every command, or rejects it with a coded error, for any data from QEMU', async () => {
  await fc.assert(
    fc.asyncProperty(messages, cuts, async (bytes, places) => {
      const [ours, theirs] = duplexPair()
      theirs.resume()
      const client = new QmpClient(ours)
      client.observe(() => {})
      using _ = client.onEvent(({ event, data }) => expect([typeof event, typeof data]).toEqual(['string', 'object']))
      const results = Promise.allSettled([client.connect(), client.execute('a'), client.execute('b')])
      for (const piece of pieces(bytes, places)) if (piece.length > 0) theirs.write(piece)
      await turn()
      theirs.destroy()
      ours.destroy()
      for (const result of await results) {
        expect(result.status === 'fulfilled' || ColdbootError.is(result.reason)).toBe(true)
      }
    }),
    fuzz(400),
  )
})

const RAM = 2
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const u64 = (value: number): Buffer => Buffer.concat([u32(Math.floor(value / 2 ** 32)), u32(value % 2 ** 32)])
const END = Buffer.concat([u64(0x10), Buffer.from([0x7e]), u32(RAM)])
const STATE = Buffer.concat([
  ...[u32(0x5145_564d), u32(3), Buffer.from([7]), u32(2), Buffer.from('pc'), Buffer.from([1]), u32(RAM)],
  ...[Buffer.from('\x03ram'), u32(0), u32(4), u64(2 * PAGE + 4), Buffer.from('\x06pc.ram'), u64(2 * PAGE), END],
  ...[Buffer.from([2]), u32(RAM), encodePage({ block: 'pc.ram', offset: 0, content: Buffer.alloc(PAGE, 1) }, false)],
  ...[encodePage({ block: 'pc.ram', offset: PAGE, content: undefined }, true), END],
  ...[Buffer.from([3]), u32(RAM), END, Buffer.from('\x04the devices')],
])
const HEAD_BYTES = 80
// Most damage would hit the content of the page.
const head = damaged(STATE.subarray(0, HEAD_BYTES + 40)).map((start) =>
  Buffer.concat([start, STATE.subarray(HEAD_BYTES + 40)]),
)

test('a reader passes on no more of a damaged state than it was given, or refuses it', () => {
  fc.assert(
    fc.property(fc.oneof(head, damaged(STATE)), cuts, (bytes, places) => {
      let passed = 0
      const reader = new StateStreamReader({
        head: (part) => (passed += part.length),
        page: ({ content }) => (passed += content?.length ?? 0),
        command: (part) => (passed += part.length),
        tail: (part) => (passed += part.length),
      })
      try {
        for (const piece of pieces(bytes, places)) reader.push(piece)
        reader.end()
      } catch (error) {
        if (!(error instanceof UnknownStateError)) throw error
      }
      // The end of the memory is added.
      expect(passed).toBeLessThanOrEqual(bytes.length + 32)
    }),
    fuzz(1500),
  )
})
