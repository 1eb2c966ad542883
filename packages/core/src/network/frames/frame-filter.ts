/** Which frames somebody wants to see. */
import { type CheckTable, checkTable, isString, oneOf, wholeNumber } from '../../options/checked-options.ts'
import type { FrameDirection } from './frame.ts'
import { type DecodedFrame, FRAME_PROTOCOLS, type FrameProtocol } from './frame.ts'

/** A frame as a card sent or received it. */
export interface Frame extends DecodedFrame {
  /** When, milliseconds since 1970, with fractions. */
  readonly time: number
  /** Name of the machine whose card it was. */
  readonly machine: string
  /** Address of that card, which its machine may have changed in what it sends. */
  readonly card: string
  /** Whether that card sent it or received it. */
  readonly direction: FrameDirection
}

/** Frames that have all the values given. Nothing given: what the cards sent, each frame once. */
export interface FrameFilter {
  /** Name of the machine whose card sent or received it. */
  readonly machine?: string | undefined
  /** Address of the card that sent or received it: `nic.mac`. */
  readonly card?: string | undefined
  /** `received` shows each frame once per card that it reached, and only what was neither lost nor cut off. @default 'sent' */
  readonly direction?: FrameDirection | undefined
  readonly protocol?: FrameProtocol | undefined
  readonly source?: string | undefined
  readonly destination?: string | undefined
  readonly etherType?: number | undefined
  readonly vlan?: number | undefined
  readonly sourceIp?: string | undefined
  readonly destinationIp?: string | undefined
  /** Either end's IP address. */
  readonly ip?: string | undefined
  readonly sourcePort?: number | undefined
  readonly destinationPort?: number | undefined
  /** Either end's port. */
  readonly port?: number | undefined
  readonly arpOperation?: number | undefined
  readonly icmpType?: number | undefined
}

/** A filter, or a function that says which frames, of both directions. */
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
 * @param defaults what holds where a filter that is no function says nothing
 * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
 */
export function frameMatcher(filter: FrameFilterInput, defaults: FrameFilter = {}): (frame: Frame) => boolean {
  if (typeof filter === 'function') return filter
  checkTable('frames', filter, CHECKS)
  const wanted = Object.entries({ ...defaults, ...filter }).filter(([, value]) => value !== undefined)
  return (frame) =>
    wanted.every(([key, value]) => (EITHER[key] ?? [key as keyof Frame]).some((field) => frame[field] === value))
}
