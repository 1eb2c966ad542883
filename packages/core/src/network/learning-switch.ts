/**
 * An Ethernet switch: remembers behind which station an address was last seen, sends frames for that address there alone,
 * and frames for an unknown address or for a group to everybody else.
 */
import { PREFIX_BYTES } from './frames/frame-reader.ts'

/** Destination, source and type: no frame is shorter. Bytes. */
const HEADER_BYTES = 14
/** Addresses remembered at most. A guest that invents them pushes out the oldest, whose frames then go to everybody. */
const MAX_ADDRESSES = 4_096

/** Where frames go to and come from. */
export interface Station<S> {
  /**
   * Takes frames, each behind its length.
   * @param flooded whether they go to everybody
   */
  deliver(frames: Buffer, from: S, flooded: boolean): void
}

/** A switch between stations. */
export class LearningSwitch<S extends Station<S>> {
  readonly #stations = new Set<S>()
  // Addresses as numbers of 48 bits: no text is made while frames are forwarded.
  readonly #addresses = new Map<number, S>()

  connect(station: S): void {
    this.#stations.add(station)
  }

  /** Takes a station out and forgets what was behind it: nothing waits for one that is gone. */
  disconnect(station: S): void {
    this.#stations.delete(station)
    for (const [address, owner] of this.#addresses) if (owner === station) this.#addresses.delete(address)
  }

  /**
   * Forwards whole frames, each behind its length. Neighbours with the same way are passed on as one piece of the
   * buffer: a bulk transfer is not taken apart at all.
   */
  forward(frames: Buffer, from: S): void {
    let start = 0
    let way: S | undefined = from
    let position = 0
    while (position < frames.length) {
      const length = frames.readUInt32BE(position)
      const next = length < HEADER_BYTES ? from : this.#wayOf(frames, position + PREFIX_BYTES, from)
      if (next !== way) {
        this.#pass(frames, start, position, way, from)
        start = position
        way = next
      }
      position += PREFIX_BYTES + length
    }
    this.#pass(frames, start, position, way, from)
  }

  /** The station for the frame at `offset`; undefined: everybody; the sender itself: nobody. */
  #wayOf(frames: Buffer, offset: number, from: S): S | undefined {
    const source = frames.readUIntBE(offset + 6, 6)
    if (!isGroup(frames, offset + 6) && this.#addresses.get(source) !== from) this.#learn(source, from)
    if (isGroup(frames, offset)) return undefined
    return this.#addresses.get(frames.readUIntBE(offset, 6))
  }

  #learn(address: number, station: S): void {
    if (!this.#stations.has(station)) return
    this.#addresses.delete(address)
    if (this.#addresses.size >= MAX_ADDRESSES) {
      for (const oldest of this.#addresses.keys()) {
        this.#addresses.delete(oldest)
        break
      }
    }
    this.#addresses.set(address, station)
  }

  #pass(frames: Buffer, start: number, end: number, way: S | undefined, from: S): void {
    if (start === end || way === from) return
    const piece = start === 0 && end === frames.length ? frames : frames.subarray(start, end)
    if (way) way.deliver(piece, from, false)
    else for (const station of this.#stations) if (station !== from) station.deliver(piece, from, true)
  }
}

function isGroup(frames: Buffer, offset: number): boolean {
  return ((frames[offset] ?? 0) & 1) === 1
}
