/**
 * Decoder of Ethernet frames: addresses, protocol, ports. Formats: IEEE 802.3 and 802.1Q, RFC 826 (ARP),
 * RFC 791 and 8200 (IP), RFC 792 and 4443 (ICMP), RFC 9293 (TCP), RFC 768 (UDP).
 */
import { ipv4At, ipv6At } from './ip-address.ts'
import { macAt } from './mac-address.ts'

/** Direction as seen from the machine of the card. */
export type FrameDirection = 'sent' | 'received'

/** Protocols that are recognized. */
export const FRAME_PROTOCOLS: readonly ['arp', 'icmp', 'icmpv6', 'tcp', 'udp', 'ipv4', 'ipv6', 'other'] = [
  ...(['arp', 'icmp', 'icmpv6', 'tcp', 'udp', 'ipv4', 'ipv6', 'other'] as const),
]

/** The innermost protocol that was recognized. */
export type FrameProtocol = (typeof FRAME_PROTOCOLS)[number]

/** A decoded frame. Fields of protocols that the frame does not use are missing. */
export interface DecodedFrame {
  /** The frame from the destination address on, without checksum. */
  readonly bytes: Buffer
  /** Source MAC address, such as `52:54:63:00:00:01`. */
  readonly source: string
  /** Destination MAC address; `ff:ff:ff:ff:ff:ff` is broadcast. */
  readonly destination: string
  /** EtherType, after a VLAN tag if there is one, such as 0x0800 for IPv4. */
  readonly etherType: number
  /** VLAN number of a tagged frame. */
  readonly vlan?: number
  readonly protocol: FrameProtocol
  /** Source IP address; for ARP, that of the sender. IPv6 in its short form. */
  readonly sourceIp?: string
  /** Destination IP address; for ARP, the requested one. */
  readonly destinationIp?: string
  /** Source port of TCP and UDP. */
  readonly sourcePort?: number
  /** Destination port of TCP and UDP. */
  readonly destinationPort?: number
  /** For ARP: 1 is a request, 2 a reply. */
  readonly arpOperation?: number
  /** For ICMP: 8 is an echo request, 0 an echo reply; for ICMPv6, 128 and 129. */
  readonly icmpType?: number
  /** For TCP, such as `['syn', 'ack']`. */
  readonly tcpFlags?: readonly string[]
  /** Payload of the innermost protocol. */
  readonly payload: Buffer
}

type Layer = Partial<Omit<DecodedFrame, 'bytes' | 'source' | 'destination' | 'etherType' | 'vlan'>> & {
  readonly protocol: FrameProtocol
  readonly payload: Buffer
}

const VLAN_TAG = 0x8100
const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ece', 'cwr']
/** IPv6 extension headers to skip: hop-by-hop, routing, destination options. */
const EXTENSIONS = new Set([0, 43, 60])

/** Decodes a frame. Truncated or unknown parts stay in `payload`. */
export function decodeFrame(bytes: Buffer): DecodedFrame {
  const tagged = bytes.length >= 18 && bytes.readUInt16BE(12) === VLAN_TAG
  const typeOffset = tagged ? 16 : 12
  const etherType = bytes.length >= typeOffset + 2 ? bytes.readUInt16BE(typeOffset) : 0
  return {
    bytes,
    source: macAt(bytes, 6),
    destination: macAt(bytes, 0),
    etherType,
    ...(tagged ? { vlan: bytes.readUInt16BE(14) & 0xfff } : {}),
    ...decodeNetwork(etherType, bytes.subarray(typeOffset + 2)),
  }
}

function decodeNetwork(etherType: number, packet: Buffer): Layer {
  if (etherType === 0x0806 && packet.length >= 28) return decodeArp(packet)
  if (etherType === 0x0800 && packet.length >= 20) return decodeIpv4(packet)
  if (etherType === 0x86dd && packet.length >= 40) return decodeIpv6(packet)
  return { protocol: 'other', payload: packet }
}

function decodeArp(packet: Buffer): Layer {
  return {
    protocol: 'arp',
    arpOperation: packet.readUInt16BE(6),
    sourceIp: ipv4At(packet, 14),
    destinationIp: ipv4At(packet, 24),
    payload: packet.subarray(28),
  }
}

function decodeIpv4(packet: Buffer): Layer {
  const header = ((packet[0] ?? 0) & 0xf) * 4
  // The length in the IP header is used, because the frame may be padded to the minimum length.
  const payload = packet.subarray(header, Math.max(header, packet.readUInt16BE(2)))
  const ends = { sourceIp: ipv4At(packet, 12), destinationIp: ipv4At(packet, 16) }
  const laterFragment = (packet.readUInt16BE(6) & 0x1fff) > 0
  const inner = laterFragment ? undefined : decodeTransport(packet[9] ?? 0, payload)
  return { protocol: 'ipv4', payload, ...ends, ...inner }
}

function decodeIpv6(packet: Buffer): Layer {
  const ends = { sourceIp: ipv6At(packet, 8), destinationIp: ipv6At(packet, 24) }
  let payload = packet.subarray(40, 40 + packet.readUInt16BE(4))
  let next = packet[6] ?? 0
  while (EXTENSIONS.has(next) && payload.length >= 8) {
    next = payload[0] ?? 0
    payload = payload.subarray(8 + (payload[1] ?? 0) * 8)
  }
  return { protocol: 'ipv6', payload, ...ends, ...decodeTransport(next, payload) }
}

function decodeTransport(protocol: number, segment: Buffer): Layer | undefined {
  if (protocol === 6 && segment.length >= 20) {
    const flags = segment[13] ?? 0
    return {
      protocol: 'tcp',
      ...portsOf(segment),
      tcpFlags: TCP_FLAGS.filter((_, bit) => flags & (1 << bit)),
      payload: segment.subarray(((segment[12] ?? 0) >> 4) * 4),
    }
  }
  if (protocol === 17 && segment.length >= 8) {
    return { protocol: 'udp', ...portsOf(segment), payload: segment.subarray(8) }
  }
  if ((protocol === 1 || protocol === 58) && segment.length >= 4) {
    return { protocol: protocol === 1 ? 'icmp' : 'icmpv6', icmpType: segment[0] ?? 0, payload: segment.subarray(4) }
  }
  return undefined
}

function portsOf(segment: Buffer): { sourcePort: number; destinationPort: number } {
  return { sourcePort: segment.readUInt16BE(0), destinationPort: segment.readUInt16BE(2) }
}
