/** MAC addresses: validation, normalization and generation. */
import { OptionError } from '../../errors.ts'

/** Most cards of a network, because the number of a card is the last byte of its address. */
export const MAX_NICS = 256

// The second-lowest bit of the first byte marks a locally administered address. QEMU itself uses 52:54:00.
const PREFIX = '52:54:63'

/**
 * Generates an address, always the same for the same network and position.
 * @param network number of the network, 0 to 65535
 * @param index number of the card in its network, 0 to 255
 */
export function chosenMac(network: number, index: number): string {
  return [PREFIX, hex(network >> 8), hex(network & 0xff), hex(index)].join(':')
}

/**
 * Normalizes an address to lower case and colons.
 * @throws OptionError `INVALID_OPTION` if it is not the address of a single card
 */
export function checkedMac(mac: unknown): string {
  if (typeof mac !== 'string' || !/^[\da-f]{2}([:-])[\da-f]{2}(?:\1[\da-f]{2}){4}$/i.test(mac)) {
    throw invalid(mac, 'is not six hexadecimal bytes with colons between them, such as 52:54:63:00:00:01')
  }
  const text = mac.toLowerCase().replaceAll('-', ':')
  if ((Number.parseInt(text.slice(0, 2), 16) & 1) === 1)
    throw invalid(mac, 'is a multicast address: its first byte is odd')
  if (text === '00:00:00:00:00:00') throw invalid(mac, 'is not a valid address: it is all zero')
  return text
}

/** Formats the address in the six bytes at `offset`; missing bytes count as zero. */
export function macAt(bytes: Uint8Array, offset: number): string {
  let text = hex(bytes[offset] ?? 0)
  for (let index = 1; index < 6; index++) text += `:${hex(bytes[offset + index] ?? 0)}`
  return text
}

// A table, because each logged frame has two addresses, and formatting each byte takes five times longer.
const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(byte: number): string {
  return HEX[byte] ?? ''
}

function invalid(mac: unknown, why: string): OptionError {
  return new OptionError('INVALID_OPTION', `\`mac\` ${JSON.stringify(mac)} ${why}`, {
    hint: 'Remove `mac` to have one chosen, or set it to an address such as 52:54:63:00:00:01.',
  })
}
