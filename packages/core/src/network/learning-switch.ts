/**
 * Ethernet switch. Remembers the station of each source address, and forwards frames for this address only to this
 * station. Frames for an unknown address or a group address are forwarded to all other stations.
 */
import { PREFIX_BYTES } from './frames/frame-reader.ts'

/** Shortest frame: destination, source and type. Bytes. */
const HEADER_BYTES = 14
/** Most remembered addresses. Above it, the oldest one is dropped, and frames for it are forwarded to all stations. */
const MAX_ADDRESSES = 4_096

/** A source and destination of frames. */
export interface Station<S> {
  /**
   * Receives frames, each with a length prefix.
   * @param flooded whether they are sent to all stations
   */
  deliver(frames: Buffer, from: S, flooded: boolean): void
}

/** A switch between stations. */
export class LearningSwitch<S extends Station<S>> {
  readonly #stations = new Set<S>()
  // MAC addresses as 48-bit numbers, so that forwarding creates no strings.
  readonly #addresses = new Map<number, S>()

  connect(station: S): void {
    this.#stations.add(station)
  }

  /** Removes a station and its addresses. */
  disconnect(station: S): void {
    this.#stations.delete(station)
    for (const [address, owner] of this.#addresses) if (owner === station) this.#addresses.delete(address)
  }

  /**
   * Forwards complete frames, each with a length prefix. Consecutive frames for the same station are passed on as one
   * slice of the buffer.
   */
  forward(frames: Buffer, from: S): void {
    let start = 0
    let way: S | undefined = from
    let position = 0
    while (position < frames.length) {
      const length = frames.readUInt32BE(position)
      const next = length < HEADER_BYTES ? from : this.#destinationOf(frames, position + PREFIX_BYTES, from)
      if (next !== way) {
        this.#pass(frames, start, position, way, from)
        start = position
        way = next
      }
      position += PREFIX_BYTES + length
    }
    this.#pass(frames, start, position, way, from)
  }

  /** Finds the destination of the frame at `offset`. Undefined means all stations, the sender itself means none. */
  #destinationOf(frames: Buffer, offset: number, from: S): S | undefined {
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
