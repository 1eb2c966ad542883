import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkedMac, chosenMac, macAt } from './mac-address.ts'

const network = fc.integer({ min: 0, max: 65_535 })
const index = fc.integer({ min: 0, max: 255 })

test('generates local unicast addresses, unique for network and position', () => {
  fc.assert(
    fc.property(network, index, network, index, (networkA, indexA, networkB, indexB) => {
      const mac = chosenMac(networkA, indexA)
      expect(checkedMac(mac)).toBe(mac)
      expect(Number.parseInt(mac.slice(0, 2), 16) & 3).toBe(2)
      expect(mac === chosenMac(networkB, indexB)).toBe(networkA === networkB && indexA === indexB)
    }),
  )
})

test('normalizes an address of a user', () => {
  expect(checkedMac('52-54-00-AB-cd-EF')).toBe('52:54:00:ab:cd:ef')
})

test.each([
  ['52:54:00:00:00', /six hexadecimal bytes/],
  ['52:54:00:00:00:00:00', /six hexadecimal bytes/],
  ['52:54-00:00:00:01', /six hexadecimal bytes/],
  ['52:54:00:00:00:0g', /six hexadecimal bytes/],
  ['52:54:00:00:00:01,x=y', /six hexadecimal bytes/],
  ['52:54:00:00:00:01\n', /six hexadecimal bytes/],
  [1, /six hexadecimal bytes/],
  ['01:00:5e:00:00:01', /multicast address/],
  ['ff:ff:ff:ff:ff:ff', /multicast address/],
  ['00:00:00:00:00:00', /all zero/],
])('%j is refused', (mac, reason) => {
  expect(() => checkedMac(mac)).toThrow(reason)
})

test('reads an address from a frame', () => {
  expect(macAt(Buffer.from('ff525463000a01', 'hex'), 1)).toBe('52:54:63:00:0a:01')
})
