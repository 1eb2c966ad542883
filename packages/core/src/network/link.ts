/**
 * Link between a network card and the switch: its port, the faults of both directions, and the observers. Without
 * faults and observers, whole buffers are forwarded, otherwise frame by frame.
 */
import type { Duplex } from 'node:stream'
import type { FrameDirection } from './frames/frame.ts'
import { PREFIX_BYTES } from './frames/frame-reader.ts'
import { padded } from './frames/padding.ts'
import type { LearningSwitch, Station } from './learning-switch.ts'
import type { LinkConditioner } from './link-conditioner.ts'
import { SwitchPort } from './switch-port.ts'

/** Observers of the frames of a network. */
export interface LinkObservers {
  /** Whether there is any observer. If not, `observe` is not called. */
  readonly isWatching: boolean
  /** Receives a frame that the card sent or received, without length prefix. */
  observe(link: Link, direction: FrameDirection, frame: Buffer): void
}

/** The network card of a link. */
export interface Card {
  /** Name of the machine. */
  readonly machine: string
  /** Name of the card in captures. */
  readonly name: string
  readonly mac: string
  readonly model: string
  /** Position among the cards of the network. */
  readonly index: number
}

/** The part of a network that a link needs. */
export interface LinkSurroundings {
  readonly switch: LearningSwitch<Link>
  readonly observers: LinkObservers
  /** Whether a partition separates two links. */
  isCut(from: Link, to: Link): boolean
  /** Faults of the whole network in the direction of a link. */
  conditionerOf(link: Link): LinkConditioner | undefined
}

/** The link of a card while its machine runs. */
export class Link implements Station<Link> {
  readonly card: Card
  /** Faults of this link, in addition to those of the network. */
  conditioners: Readonly<Partial<Record<FrameDirection, LinkConditioner>>> = {}
  readonly #surroundings: LinkSurroundings
  readonly #port: SwitchPort

  constructor(card: Card, stream: Duplex, surroundings: LinkSurroundings, onClose: () => void) {
    this.card = card
    this.#surroundings = surroundings
    surroundings.switch.connect(this)
    this.#port = new SwitchPort(stream, {
      received: (frames) => this.#receive(frames),
      closed: () => {
        surroundings.switch.disconnect(this)
        onClose()
      },
    })
  }

  /** Bytes that were dropped because the queue to this card was full. */
  get droppedBytes(): number {
    return this.#port.droppedBytes
  }

  /** Delivers frames from a station of the switch to this card. */
  deliver(pieces: Buffer, from: Link, flooded: boolean): void {
    if (this.#surroundings.isCut(from, this)) return
    const frames = this.card.model === 'virtio' ? pieces : padded(pieces)
    const sender = flooded ? undefined : from.#port
    const faults = [this.#surroundings.conditionerOf(this), this.conditioners.received].filter((it) => it !== undefined)
    if (faults.length === 0 && !this.#surroundings.observers.isWatching) {
      this.#port.send(frames, sender)
      return
    }
    const arrive = (frame: Buffer): void => {
      this.#observe('received', frame)
      this.#port.send(frame, sender)
    }
    for (const frame of eachFrame(frames)) throughFaults(frame, faults, arrive)
  }

  /** Disconnects the card when the machine ends: see {@link SwitchPort.leave}. */
  leave(): void {
    this.#surroundings.switch.disconnect(this)
    this.#port.leave()
  }

  /** Cuts the link. Idempotent. */
  close(): void {
    this.conditioners.sent?.close()
    this.conditioners.received?.close()
    this.#port.close()
  }

  #receive(frames: Buffer): void {
    const fault = this.conditioners.sent
    const { observers, switch: exchange } = this.#surroundings
    if (!fault && !observers.isWatching) {
      exchange.forward(frames, this)
      return
    }
    for (const frame of eachFrame(frames)) {
      this.#observe('sent', frame)
      throughFaults(frame, fault ? [fault] : [], (it) => exchange.forward(it, this))
    }
  }

  #observe(direction: FrameDirection, frame: Buffer): void {
    const { observers } = this.#surroundings
    if (observers.isWatching) observers.observe(this, direction, frame.subarray(PREFIX_BYTES))
  }
}

/** Splits a buffer into frames, each with a length prefix. */
function* eachFrame(frames: Buffer): Generator<Buffer> {
  for (let start = 0; start < frames.length; ) {
    const end = start + PREFIX_BYTES + frames.readUInt32BE(start)
    yield frames.subarray(start, end)
    start = end
  }
}

function throughFaults(frame: Buffer, faults: readonly LinkConditioner[], arrive: (frame: Buffer) => void): void {
  const [first, ...others] = faults
  if (first) first.pass(frame, (it) => throughFaults(it, others, arrive))
  else arrive(frame)
}
