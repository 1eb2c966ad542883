/** Filters of frames, by the properties of a frame or by a predicate. */
import { type CheckTable, checkTable, isString, oneOf, wholeNumber } from '../../options/checked-options.ts'
import type { FrameDirection } from './frame.ts'
import { type DecodedFrame, FRAME_PROTOCOLS, type FrameProtocol } from './frame.ts'

/** A frame that a card sent or received. */
export interface Frame extends DecodedFrame {
  /** Time in milliseconds since 1970, with fractions. */
  readonly time: number
  /** Name of the machine of the card. */
  readonly machine: string
  /** MAC address of the card. The guest may send with another source address. */
  readonly card: string
  /** Whether the card sent or received the frame. */
  readonly direction: FrameDirection
}

/** Selects frames that have all given values. An empty filter selects each frame once, when it is sent. */
export interface FrameFilter {
  /** Name of the machine whose card sent or received the frame. */
  readonly machine?: string | undefined
  /** MAC address of the card that sent or received the frame: `nic.mac`. */
  readonly card?: string | undefined
  /** `received` selects a frame once for each card that it reached, without frames that were lost. @default 'sent' */
  readonly direction?: FrameDirection | undefined
  readonly protocol?: FrameProtocol | undefined
  readonly source?: string | undefined
  readonly destination?: string | undefined
  readonly etherType?: number | undefined
  readonly vlan?: number | undefined
  readonly sourceIp?: string | undefined
  readonly destinationIp?: string | undefined
  /** IP address of the source or the destination. */
  readonly ip?: string | undefined
  readonly sourcePort?: number | undefined
  readonly destinationPort?: number | undefined
  /** Port of the source or the destination. */
  readonly port?: number | undefined
  readonly arpOperation?: number | undefined
  readonly icmpType?: number | undefined
}

/** A filter, or a predicate that is called for frames of both directions. */
export type FrameFilterInput = FrameFilter | ((frame: Frame) => boolean)

const EITHER: Readonly<Record<string, readonly [keyof Frame, keyof Frame]>> = {
  ip: ['sourceIp', 'destinationIp'],
  port: ['sourcePort', 'destinationPort'],
}
const isAddress: CheckTable<{ it: string }>['it'] = ['an address as a string', isString]
const isPort = wholeNumber(0, 0xffff)
const CHECKS: CheckTable<Required<FrameFilter>> = {
  machine: ['the name of a machine', isString],
  direction: oneOf(['sent', 'received']),
  protocol: oneOf(FRAME_PROTOCOLS),
  card: isAddress,
  source: isAddress,
  destination: isAddress,
  etherType: isPort,
  vlan: wholeNumber(0, 0xfff),
  sourceIp: isAddress,
  destinationIp: isAddress,
  ip: isAddress,
  sourcePort: isPort,
  destinationPort: isPort,
  port: isPort,
  arpOperation: isPort,
  icmpType: wholeNumber(0, 0xff),
}

/**
 * @param defaults default values of a filter that is not a function
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function frameMatcher(filter: FrameFilterInput, defaults: FrameFilter = {}): (frame: Frame) => boolean {
  if (typeof filter === 'function') return filter
  checkTable('frames', filter, CHECKS)
  const wanted = Object.entries({ ...defaults, ...filter }).filter(([, value]) => value !== undefined)
  return (frame) =>
    wanted.every(([key, value]) => (EITHER[key] ?? [key as keyof Frame]).some((field) => frame[field] === value))
}
