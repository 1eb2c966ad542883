import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PREFIX_BYTES, prefixed } from './frames/frame-reader.ts'
import { LearningSwitch, type Station } from './learning-switch.ts'

const BROADCAST = 'ff:ff:ff:ff:ff:ff'

function address(station: number): string {
  return `52:54:63:00:00:${station.toString(16).padStart(2, '0')}`
}

function frame(source: string, destination: string, payload = ''): Buffer {
  const header = Buffer.from((destination + source).replaceAll(':', ''), 'hex')
  return Buffer.concat([header, Buffer.from([0x88, 0xb5]), Buffer.from(payload)])
}

class Recorder implements Station<Recorder> {
  readonly deliveries: { readonly frames: Buffer; readonly flooded: boolean }[] = []

  deliver(frames: Buffer, _from: Recorder, flooded: boolean): void {
    this.deliveries.push({ frames, flooded })
  }

  /** Returns the payloads that were received since the last call. */
  take(): string[] {
    const payloads: string[] = []
    for (const { frames } of this.deliveries.splice(0)) {
      for (let start = 0; start < frames.length; ) {
        const end = start + PREFIX_BYTES + frames.readUInt32BE(start)
        payloads.push(frames.toString('latin1', start + PREFIX_BYTES + 14, end))
        start = end
      }
    }
    return payloads
  }
}

function connected(count: number): { exchange: LearningSwitch<Recorder>; stations: Recorder[] } {
  const exchange = new LearningSwitch<Recorder>()
  const stations = Array.from({ length: count }, () => new Recorder())
  for (const station of stations) exchange.connect(station)
  return { exchange, stations }
}

test('floods a frame for an unknown address, and sends its answer only to the sender', () => {
  const { exchange, stations } = connected(3)
  const [a, b, c] = stations as [Recorder, Recorder, Recorder]
  exchange.forward(prefixed(frame(address(0), address(1), 'question')), a)
  expect(stations.map((it) => it.take())).toEqual([[], ['question'], ['question']])
  exchange.forward(prefixed(frame(address(1), address(0), 'answer')), b)
  expect(stations.map((it) => it.take())).toEqual([['answer'], [], []])
  exchange.forward(prefixed(frame(address(2), BROADCAST, 'all')), c)
  expect(stations.map((it) => it.take())).toEqual([['all'], ['all'], []])
})

test('delivers any traffic in any chunks like a switch that forwards single frames', () => {
  const sent = fc.record({
    from: fc.nat({ max: 3 }),
    source: fc.nat({ max: 5 }),
    destination: fc.oneof(fc.nat({ max: 5 }).map(address), fc.constantFrom(BROADCAST, '33:33:00:00:00:01')),
  })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 3 }), fc.array(sent, { maxLength: 12 }))), (batches) => {
      const { exchange, stations } = connected(4)
      const known = new Map<string, number>()
      const expected: string[][] = stations.map(() => [])
      let count = 0
      for (const [from, frames] of batches) {
        const bytes = frames.map(({ source, destination }) => {
          const payload = `frame ${count++}`
          known.set(address(source), from)
          const way = known.get(destination)
          for (const [index, list] of expected.entries()) {
            if (index !== from && (way === undefined || way === index)) list.push(payload)
          }
          return prefixed(frame(address(source), destination, payload))
        })
        exchange.forward(Buffer.concat(bytes), stations[from] as Recorder)
      }
      expect(stations.map((it) => it.take())).toEqual(expected)
    }),
  )
})

test('forwards consecutive frames for one station as one slice', () => {
  const { exchange, stations } = connected(3)
  const [a, b, c] = stations as [Recorder, Recorder, Recorder]
  exchange.forward(prefixed(frame(address(1), BROADCAST)), b)
  exchange.forward(prefixed(frame(address(2), BROADCAST)), c)
  for (const it of stations) it.take()
  const way = [1, 1, 1, 2, 1].map((to) => prefixed(frame(address(0), address(to), `to ${to}`)))
  const buffer = Buffer.concat(way)
  exchange.forward(buffer, a)
  expect(b.deliveries.map(({ frames }) => frames.length)).toEqual([(way[0]?.length ?? 0) * 3, way[0]?.length])
  for (const { frames } of [...b.deliveries, ...c.deliveries]) expect(frames.buffer).toBe(buffer.buffer)
})

test('forgets a disconnected station', () => {
  const { exchange, stations } = connected(3)
  const [a, b] = stations as [Recorder, Recorder, Recorder]
  exchange.forward(prefixed(frame(address(1), BROADCAST)), b)
  exchange.disconnect(b)
  for (const it of stations) it.take()
  exchange.forward(prefixed(frame(address(0), address(1), 'where are you')), a)
  expect(stations.map((it) => it.take())).toEqual([[], [], ['where are you']])
})

test('learns the new port of a station that moved', () => {
  const { exchange, stations } = connected(3)
  const [a, b, c] = stations as [Recorder, Recorder, Recorder]
  exchange.forward(prefixed(frame(address(9), BROADCAST)), b)
  exchange.forward(prefixed(frame(address(9), BROADCAST)), c)
  for (const it of stations) it.take()
  exchange.forward(prefixed(frame(address(0), address(9), 'moved')), a)
  expect(stations.map((it) => it.take())).toEqual([[], [], ['moved']])
})

test('limits the size of the address table', () => {
  const { exchange, stations } = connected(3)
  const [a, b] = stations as [Recorder, Recorder, Recorder]
  exchange.forward(prefixed(frame(address(1), BROADCAST)), b)
  for (let index = 0; index < 5_000; index++) {
    const invented = `52:54:ff:${[index >> 16, (index >> 8) & 0xff, index & 0xff].map((it) => it.toString(16).padStart(2, '0')).join(':')}`
    exchange.forward(prefixed(frame(invented, address(0))), b)
  }
  for (const it of stations) it.take()
  // The oldest entry was dropped, so frames for it are sent to all stations.
  exchange.forward(prefixed(frame(address(0), address(1), 'x')), a)
  expect(stations.map((it) => it.take())).toEqual([[], ['x'], ['x']])
  exchange.forward(prefixed(frame(address(0), '52:54:ff:00:13:87', 'y')), a)
  expect(stations.map((it) => it.take())).toEqual([[], ['y'], []])
})

test('drops frames that are too short for a header', () => {
  const { exchange, stations } = connected(2)
  exchange.forward(
    Buffer.concat([prefixed(Buffer.alloc(0)), prefixed(Buffer.alloc(13, 0xff))]),
    stations[0] as Recorder,
  )
  expect(stations[1]?.take()).toEqual([])
})
