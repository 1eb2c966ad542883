/**
 * Isolated network between machines: a switch in this process (`../network/`), connected by inherited descriptors. No
 * port is opened on the host.
 */
import type { Duplex } from 'node:stream'
import { OptionError } from '../errors.ts'
import { readEnvironment } from '../host/environment.ts'
import type { Capture, CaptureOptions } from '../network/capture.ts'
import type { FrameFilterInput } from '../network/frames/frame-filter.ts'
import type { FrameLog } from '../network/frames/frame-log.ts'
import { checkedMac, chosenMac, MAX_NICS } from '../network/frames/mac-address.ts'
import { type Impairment, type ResolvedImpairment, resolveImpairment } from '../network/impairment.ts'
import { LearningSwitch } from '../network/learning-switch.ts'
import { type Card, Link } from '../network/link.ts'
import { LinkConditioner } from '../network/link-conditioner.ts'
import { Observers } from '../network/observers.ts'
import { Partition } from '../network/partition.ts'
import {
  type CheckTable,
  checkTable,
  inspectValue,
  isFlag,
  isString,
  oneOf,
  wholeNumber,
} from '../options/checked-options.ts'
import { NIC_MODELS, type NicModel } from './helpers/nic-model.ts'
import { NetworkNic } from './network-nic.ts'

/** Options of {@link Network.nic}. */
export interface NicOptions {
  /** Model of the card. @default 'virtio' */
  readonly model?: NicModel | undefined
  /** MAC address, six bytes with colons. @default unique in this process, the same in each run */
  readonly mac?: string | undefined
  /**
   * Whether the firmware boots over this card (PXE), before all disks. Another machine on the network must serve DHCP
   * and TFTP. @default only if the machine has nothing else to boot from
   */
  readonly boot?: boolean | undefined
}

/** Options of {@link Network.frames}. */
export interface FrameLogOptions {
  /** Number of last frames that the log keeps. @default 10000 */
  readonly limit?: number | undefined
}

/** Member of a partition: a card, or all cards of a machine, given as the machine or its name. */
export type NetworkMember = NetworkNic | string | { readonly name: string }

const NIC_CHECKS: CheckTable<Required<NicOptions>> = {
  model: oneOf(NIC_MODELS),
  mac: ['an address of six bytes', isString],
  boot: isFlag,
}
const LOG_CHECKS: CheckTable<Required<FrameLogOptions>> = { limit: wholeNumber(1, 10_000_000) }

// Networks that are open at the same time have different numbers and so different MAC addresses, because a machine may
// be in several of them. The lowest free number is used, so that the next test gets the same addresses.
const numbersInUse = new Set<number>()

/**
 * An isolated network. `network.nic()` creates a card, which is a device. Machines with cards of a network reach only
 * each other. A learning switch forwards the frames, without losses in TCP transfers. A machine that is stopped or
 * exits does not affect the others.
 *
 * Close the network at the end of the test, or write `await using network = new Network()`, so that captures are
 * complete.
 */
export class Network implements AsyncDisposable {
  readonly #switch = new LearningSwitch<Link>()
  readonly #observers = new Observers()
  readonly #number: number
  readonly #nics: NetworkNic[] = []
  readonly #links = new Set<Link>()
  readonly #conditioners = new Map<Link, LinkConditioner>()
  #impairment: ResolvedImpairment | undefined
  #partition: Partition<number> | undefined
  #closed: Promise<void> | undefined

  constructor() {
    let number = 0
    while (numbersInUse.has(number)) number++
    numbersInUse.add(number)
    this.#number = number
  }

  /** The cards so far. */
  get nics(): readonly NetworkNic[] {
    return [...this.#nics]
  }

  /**
   * Creates a card, for the `devices` of a machine.
   *
   * @throws OptionError `INVALID_OPTION` for an invalid model or address, for a 257th card, and when the network is
   *   closed; `DEVICE_CONFLICT` when another card of this network has the address; `UNKNOWN_OPTION`
   */
  nic(options: NicOptions = {}): NetworkNic {
    this.#requireOpen()
    checkTable('network.nic', options, NIC_CHECKS)
    const index = this.#nics.length
    if (index >= MAX_NICS) {
      throw new OptionError('INVALID_OPTION', `This network already has ${MAX_NICS} cards, the maximum`, {
        hint: 'Create a new Network for each test.',
      })
    }
    const { model = 'virtio', boot } = options
    const mac = options.mac === undefined ? this.#freeMac(index) : this.#unusedMac(options.mac)
    const surroundings = {
      requireOpen: () => this.#requireOpen(),
      connect: this.#connect,
      capture: (file: string, options: CaptureOptions) => this.#observers.capture(file, this.#links, options),
    }
    const nic = new NetworkNic({ mac, model, index, boot }, surroundings)
    this.#nics.push(nic)
    return nic
  }

  /**
   * Adds faults to the network: frames to each card are delayed, limited in bandwidth, or lost. Replaces earlier
   * faults; `{}` removes them. {@link NetworkNic.impair} affects a single card.
   *
   * @returns dispose it to remove the faults
   * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
   */
  impair(impairment: Impairment): Disposable {
    const resolved = resolveImpairment(impairment)
    this.#impairment = resolved.isPerfect ? undefined : resolved
    // Delayed frames still arrive, because the old conditioners continue to deliver them.
    this.#conditioners.clear()
    return {
      [Symbol.dispose]: () => {
        if (this.#impairment === resolved) this.impair({})
      },
    }
  }

  /**
   * Partitions the network: frames between groups are lost until {@link heal}. Members without a group reach all
   * others. Replaces an earlier partition.
   *
   * @param groups two or more groups, such as `partition([server], [client, 'witness'])`
   * @returns dispose it to heal the network
   * @throws OptionError `INVALID_OPTION` for fewer than two groups, an empty group, a member in two groups, a machine
   *   that does not run with a card of this network, and a card of another network
   */
  partition(...groups: readonly (readonly NetworkMember[])[]): Disposable {
    if (groups.length < 2 || !groups.every((group) => Array.isArray(group) && group.length > 0)) {
      throw new OptionError(
        'INVALID_OPTION',
        'partition() needs at least two groups, which are lists, and none may be empty',
      )
    }
    const partition = new Partition(groups.map((group) => group.flatMap((member) => this.#indexesOf(member))))
    this.#partition = partition
    return {
      [Symbol.dispose]: () => {
        if (this.#partition === partition) this.heal()
      },
    }
  }

  /** Ends the partition. */
  heal(): void {
    this.#partition = undefined
  }

  /**
   * Captures all further frames to a file for Wireshark and tcpdump, until the capture is stopped or the network
   * closed. An existing file is replaced; folders are created.
   *
   * @param file path, usually with the extension `.pcapng`
   * @throws OptionError `INVALID_OPTION` when the file cannot be created or the network is closed
   */
  capture(file: string): Capture {
    this.#requireOpen()
    return this.#observers.capture(file, this.#links)
  }

  /**
   * Creates a log of all further frames. It has a history, can wait for a frame, and can be iterated over.
   *
   * @param filter selects frames. @default all sent frames
   * @throws OptionError `UNKNOWN_OPTION`; `INVALID_OPTION`, also when the network is closed
   */
  frames(filter: FrameFilterInput = {}, options: FrameLogOptions = {}): FrameLog {
    this.#requireOpen()
    checkTable('network.frames', options, LOG_CHECKS)
    const { timeoutMultiplier } = readEnvironment()
    return this.#observers.log(filter, { limit: options.limit ?? 10_000, timeoutMultiplier })
  }

  /**
   * Cuts all links and ends all captures and logs. Running machines lose their connection. Idempotent.
   * @throws the system's error when a capture could not be written
   */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close()
  }

  async #close(): Promise<void> {
    for (const link of this.#links) link.close()
    numbersInUse.delete(this.#number)
    await this.#observers.close()
  }

  readonly #connect = (card: Card, stream: Duplex): Link => {
    const surroundings = {
      switch: this.#switch,
      observers: this.#observers,
      isCut: (from: Link, to: Link) => this.#partition?.separates(from.card.index, to.card.index) ?? false,
      conditionerOf: (to: Link) => this.#conditionerOf(to),
    }
    const link = new Link(card, stream, surroundings, () => {
      this.#links.delete(link)
      this.#conditioners.get(link)?.close()
      this.#conditioners.delete(link)
    })
    this.#links.add(link)
    this.#observers.linkAdded(link)
    return link
  }

  #conditionerOf(link: Link): LinkConditioner | undefined {
    if (!this.#impairment) return undefined
    const known = this.#conditioners.get(link)
    if (known) return known
    const made = new LinkConditioner(this.#impairment, link.card.index, 2)
    this.#conditioners.set(link, made)
    return made
  }

  #freeMac(index: number): string {
    const taken = new Set(this.#nics.map((nic) => nic.mac))
    let last = index
    while (taken.has(chosenMac(this.#number, last % MAX_NICS))) last++
    return chosenMac(this.#number, last % MAX_NICS)
  }

  #unusedMac(asked: string): string {
    const mac = checkedMac(asked)
    const owner = this.#nics.find((nic) => nic.mac === mac)
    if (!owner) return mac
    const where = owner.machine === undefined ? '' : `, in machine "${owner.machine}",`
    throw new OptionError(
      'DEVICE_CONFLICT',
      `Card ${owner.index} of this network${where} already has the address ${mac}`,
    )
  }

  #indexesOf(member: NetworkMember): readonly number[] {
    if (member instanceof NetworkNic) {
      if (this.#nics.includes(member)) return [member.index]
      throw new OptionError('INVALID_OPTION', `Network card ${member.mac} belongs to another network`)
    }
    const machine: unknown = typeof member === 'string' ? member : (member as { readonly name?: unknown } | null)?.name
    if (typeof machine !== 'string') {
      throw new OptionError(
        'INVALID_OPTION',
        `partition: a member must be a card, a machine or its name, but is ${inspectValue(member)}`,
      )
    }
    const indexes = this.#nics.filter((nic) => nic.machine === machine).map((nic) => nic.index)
    if (indexes.length > 0) return indexes
    const running = this.#nics.flatMap((nic) => nic.machine ?? [])
    throw new OptionError('INVALID_OPTION', `No running machine "${machine}" has a card of this network`, {
      hint:
        running.length === 0
          ? 'No machine is running yet. Pass the card instead of the name.'
          : `The running machines are ${running.join(', ')}.`,
    })
  }

  #requireOpen(): void {
    if (this.#closed) throw new OptionError('INVALID_OPTION', 'The network is closed')
  }
}
