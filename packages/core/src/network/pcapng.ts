/**
 * Blocks of a pcapng file, the format of Wireshark and tcpdump (draft-ietf-opsawg-pcapng), little-endian: section
 * header, interface descriptions, packets and interface statistics.
 */

const SECTION_HEADER = 0x0a0d0d0a
const INTERFACE_DESCRIPTION = 1
const INTERFACE_STATISTICS = 5
const ENHANCED_PACKET = 6
const BYTE_ORDER_MAGIC = 0x1a2b3c4d
const LINKTYPE_ETHERNET = 1
const WORD = 4
const PACKET_HEADER_BYTES = 28
const PACKET_TRAILER_BYTES = 16

interface BlockOption {
  readonly code: number
  readonly value: Buffer
}

/** An interface of a capture. */
export interface CaptureInterface {
  readonly name: string
  readonly description: string
  /** MAC address, such as `52:54:63:00:00:01`. */
  readonly mac: string
}

/** The first block of a file. */
export function sectionHeader(application: string): Buffer {
  const body = Buffer.alloc(16)
  body.writeUInt32LE(BYTE_ORDER_MAGIC, 0)
  body.writeUInt16LE(1, 4) // version 1.0
  body.writeBigInt64LE(-1n, 8) // length of the section: unknown
  return block(SECTION_HEADER, body, [{ code: 4, value: Buffer.from(application) }])
}

/** Describes an interface. Interfaces are numbered from 0 in this order. Times are in microseconds, the default. */
export function interfaceDescription({ name, description, mac }: CaptureInterface): Buffer {
  const body = Buffer.alloc(8)
  body.writeUInt16LE(LINKTYPE_ETHERNET, 0)
  return block(INTERFACE_DESCRIPTION, body, [
    { code: 2, value: Buffer.from(name) },
    { code: 3, value: Buffer.from(description) },
    { code: 6, value: Buffer.from(mac.replaceAll(':', ''), 'hex') },
  ])
}

/** Upper bound of the bytes that {@link writePacket} writes for a frame. */
export function packetBytes(frameBytes: number): number {
  return PACKET_HEADER_BYTES + padded(frameBytes) + PACKET_TRAILER_BYTES
}

/**
 * Writes a frame at `offset` of a buffer that has space for {@link packetBytes}; returns the position after it.
 * Allocates nothing, because captures spend most of their time here.
 *
 * @param timeMs milliseconds since 1970, with fractions
 * @param outbound whether the interface sent it
 */
export function writePacket(
  bytes: Buffer,
  offset: number,
  packet: { interfaceId: number; timeMs: number; frame: Buffer; outbound: boolean },
): number {
  const { interfaceId, timeMs, frame, outbound } = packet
  const total = packetBytes(frame.length)
  bytes.writeUInt32LE(ENHANCED_PACKET, offset)
  bytes.writeUInt32LE(total, offset + 4)
  bytes.writeUInt32LE(interfaceId, offset + 8)
  writeTime(bytes, offset + 12, timeMs)
  bytes.writeUInt32LE(frame.length, offset + 20)
  bytes.writeUInt32LE(frame.length, offset + 24)
  frame.copy(bytes, offset + PACKET_HEADER_BYTES)
  const end = offset + total
  bytes.fill(0, offset + PACKET_HEADER_BYTES + frame.length, end - PACKET_TRAILER_BYTES)
  // One option, the flags with the direction, then the end of the options.
  bytes.writeUInt16LE(2, end - 16)
  bytes.writeUInt16LE(WORD, end - 14)
  bytes.writeUInt32LE(outbound ? 2 : 1, end - 12)
  bytes.writeUInt32LE(0, end - 8)
  bytes.writeUInt32LE(total, end - WORD)
  return end
}

/** Statistics of an interface, for the end of a capture. */
export function interfaceStatistics(interfaceId: number, timeMs: number, seen: number, dropped: number): Buffer {
  const body = Buffer.alloc(12)
  body.writeUInt32LE(interfaceId, 0)
  writeTime(body, 4, timeMs)
  return block(INTERFACE_STATISTICS, body, [
    { code: 4, value: uint64(seen) },
    { code: 5, value: uint64(dropped) },
  ])
}

function block(type: number, body: Buffer, options: readonly BlockOption[]): Buffer {
  const optionBytes = options.reduce((sum, { value }) => sum + WORD + padded(value.length), WORD)
  const total = 8 + body.length + optionBytes + WORD
  const bytes = Buffer.alloc(total)
  bytes.writeUInt32LE(type, 0)
  bytes.writeUInt32LE(total, 4)
  let offset = 8 + body.copy(bytes, 8)
  for (const { code, value } of options) {
    bytes.writeUInt16LE(code, offset)
    bytes.writeUInt16LE(value.length, offset + 2)
    value.copy(bytes, offset + WORD)
    offset += WORD + padded(value.length)
  }
  // The end of the options is a zero word, as allocated. The length is repeated at the end of the block.
  bytes.writeUInt32LE(total, total - WORD)
  return bytes
}

function writeTime(bytes: Buffer, offset: number, timeMs: number): void {
  const microseconds = Math.round(timeMs * 1_000)
  bytes.writeUInt32LE(Math.floor(microseconds / 0x1_0000_0000), offset)
  bytes.writeUInt32LE(microseconds % 0x1_0000_0000, offset + 4)
}

function uint64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value), 0)
  return bytes
}

function padded(length: number): number {
  return Math.ceil(length / WORD) * WORD
}
