import { isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeFrame } from './frame.ts'
import { ipv6At } from './ip-address.ts'

function decode(...hex: readonly string[]) {
  return decodeFrame(Buffer.from(hex.join('').replaceAll(' ', ''), 'hex'))
}

const ETHERNET = '525463000002 525463000001'

test('an ARP request', () => {
  const frame = decode(
    ...['ffffffffffff 525463000001 0806', '0001 0800 06 04 0001', '525463000001 0a000001 000000000000 0a000002'],
    '00'.repeat(18),
  )
  expect(frame).toMatchObject({
    source: '52:54:63:00:00:01',
    destination: 'ff:ff:ff:ff:ff:ff',
    etherType: 0x0806,
    protocol: 'arp',
    arpOperation: 1,
    sourceIp: '10.0.0.1',
    destinationIp: '10.0.0.2',
  })
})

describe('over IPv4', () => {
  const ipv4 = (protocol: string, payload: string, fragment = '0000', padding = '') => {
    const length = (20 + payload.length / 2).toString(16).padStart(4, '0')
    return decode(
      ETHERNET,
      `0800 4500 ${length} 0000 ${fragment} 40 ${protocol} 0000 0a000001 0a000002`,
      payload,
      padding,
    )
  }

  test('a ping', () => {
    expect(ipv4('01', '0800f7ff00010000')).toMatchObject({
      protocol: 'icmp',
      icmpType: 8,
      sourceIp: '10.0.0.1',
      destinationIp: '10.0.0.2',
    })
  })

  test('a TCP SYN, without the padding of the frame', () => {
    const frame = ipv4(
      '06',
      '9c40 0050 00000001 00000000 5012 fff0 0000 0000 6869'.replaceAll(' ', ''),
      '0000',
      '000000',
    )
    expect(frame).toMatchObject({ protocol: 'tcp', sourcePort: 40_000, destinationPort: 80, tcpFlags: ['syn', 'ack'] })
    expect(frame.payload.toString()).toBe('hi')
  })

  test('a datagram', () => {
    const frame = ipv4('11', '0044 0043 000a 0000 6869'.replaceAll(' ', ''))
    expect(frame).toMatchObject({ protocol: 'udp', sourcePort: 68, destinationPort: 67 })
    expect(frame.payload.toString()).toBe('hi')
  })

  test('a later fragment, which has no ports', () => {
    const frame = ipv4('11', '00440043000a0000', '0001')
    expect(frame).toMatchObject({ protocol: 'ipv4', sourceIp: '10.0.0.1' })
    expect(frame).not.toHaveProperty('sourcePort')
  })

  test('an unknown protocol', () => {
    expect(ipv4('2f', '00000800').protocol).toBe('ipv4')
  })
})

test('decodes a neighbour solicitation over IPv6 after an extension header', () => {
  const frame = decode(
    ...[ETHERNET, '86dd 60000000 0010 00 ff', 'fe80000000000000 0000000000000001', 'ff02000000000000 00000001ff000002'],
    '3a 00 050200000100 87 00 0000 00000000',
  )
  expect(frame).toMatchObject({
    protocol: 'icmpv6',
    icmpType: 135,
    sourceIp: 'fe80::1',
    destinationIp: 'ff02::1:ff00:2',
  })
})

test('returns the type after a VLAN tag', () => {
  expect(decode(ETHERNET, '8100 0064 0806', '00'.repeat(28))).toMatchObject({ vlan: 100, etherType: 0x0806 })
  expect(decode(ETHERNET, '88b5', '00'.repeat(46))).not.toHaveProperty('vlan')
})

test('decodes any truncated bytes without an error', () => {
  const start = fc.constantFrom('', '0800', '0806', '86dd', '8100000186dd', '08004500001c', '86dd6000000000080000')
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 120 }), (type, rest) => {
      const bytes = Buffer.concat([Buffer.from(ETHERNET.replace(' ', '') + type, 'hex'), rest])
      for (const length of [bytes.length, bytes.length >> 1]) {
        expect(decodeFrame(bytes.subarray(0, length)).bytes).toHaveLength(length)
      }
    }),
  )
})

test('formats IPv6 addresses like the URL standard', () => {
  const group = fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, { weight: 2, arbitrary: fc.nat({ max: 0xffff }) })
  fc.assert(
    fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
      const bytes = Buffer.alloc(16)
      for (const [index, value] of groups.entries()) bytes.writeUInt16BE(value, index * 2)
      const text = ipv6At(bytes, 0)
      expect(isIPv6(text)).toBe(true)
      expect(`[${text}]`).toBe(new URL(`http://[${groups.map((value) => value.toString(16)).join(':')}]/`).host)
    }),
    { numRuns: 1_000 },
  )
})
