import { expect, test } from 'vitest'
import { parseUsernet } from './usernet-info.ts'

test('parses the output of QEMU 7.2 with three networks', () => {
  const text = [
    'Hub -1 (net0):',
    '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
    '  TCP[HOST_FORWARD]  11       127.0.0.1 38247       10.0.5.15    80     0     0',
    '  TCP[ESTABLISHED]   13       127.0.0.1 51000       10.0.5.15    80     0     0',
    '  UDP[HOST_FORWARD]  10       127.0.0.1 39280       10.0.5.15    53     0     0',
    'Hub -1 (net1):',
    '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
    '  TCP[HOST_FORWARD]  12       127.0.0.1 45831       10.0.2.15    80     0     0',
    'Hub 0 (net2):',
    '  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ',
    '',
  ].join('\r\n')
  expect(Object.fromEntries(parseUsernet(text))).toEqual({
    net0: [
      { protocol: 'tcp', host: 38_247, guest: 80 },
      { protocol: 'udp', host: 39_280, guest: 53 },
    ],
    net1: [{ protocol: 'tcp', host: 45_831, guest: 80 }],
    net2: [],
  })
})

test('parses an output without a hub', () => {
  const text = 'net0:\n  TCP[HOST_FORWARD]  11  127.0.0.1 38247  10.0.2.15  80  0  0\n'
  expect(Object.fromEntries(parseUsernet(text))).toEqual({ net0: [{ protocol: 'tcp', host: 38_247, guest: 80 }] })
})

test('reads no forward from an empty answer', () => {
  expect(parseUsernet('').size).toBe(0)
})
