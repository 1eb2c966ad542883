/** Network card of a {@link Network}, for one machine at a time. */
import type { Duplex } from 'node:stream'
import { MachineError, OptionError } from '../errors.ts'
import type { Capture, CaptureOptions } from '../network/capture.ts'
import { type Impairment, type ResolvedImpairment, resolveImpairment } from '../network/impairment.ts'
import type { Card, Link } from '../network/link.ts'
import { LinkConditioner } from '../network/link-conditioner.ts'
import { type CheckTable, checkTable, wholeNumber } from '../options/checked-options.ts'
import type { AttachContext, Device, DeviceContext, PortableDevice, QmpClient, ValidateContext } from './device.ts'
import { BOOTS_FIRST, type NicModel, nicDevice, requireNicModelOn } from './helpers/nic-model.ts'
import { optionString } from './helpers/option-string.ts'
import { plainOptions } from './helpers/plain-options.ts'

/** The part of a network that its cards need. */
export interface NicSurroundings {
  /** @throws OptionError when the network is closed */
  requireOpen(): void
  connect(card: Card, stream: Duplex): Link
  capture(file: string, options: CaptureOptions): Capture
}

/** Properties of a card. */
export interface NicProperties {
  readonly mac: string
  readonly model: NicModel
  readonly index: number
  /** See `NicOptions.boot`. */
  readonly boot: boolean | undefined
}

interface LiveNic {
  readonly machine: string
  readonly netdev: string
  readonly qmp: QmpClient
  readonly link: Link
}

const CAPTURE_CHECKS: CheckTable<{ readonly maxBytes: unknown }> = { maxBytes: wholeNumber(0, Number.MAX_SAFE_INTEGER) }

/**
 * A network card, created by {@link Network.nic}. Add it to the `devices` of one machine. After the end of the machine,
 * the card can be reused.
 */
export class NetworkNic implements Device {
  readonly name = 'network.nic()'
  /** MAC address, such as `52:54:63:00:00:01`. */
  readonly mac: string
  readonly model: NicModel
  /** Position among the cards of its network, from 0. */
  readonly index: number
  readonly claims: readonly string[]
  readonly bootable: boolean | 'fallback'
  readonly portable: PortableDevice
  readonly #surroundings: NicSurroundings
  readonly #boot: boolean | undefined
  #live: LiveNic | undefined
  #isDown = false
  #wasAttached = false
  #impairment: ResolvedImpairment | undefined

  constructor({ mac, model, index, boot }: NicProperties, surroundings: NicSurroundings) {
    this.mac = mac
    this.model = model
    this.index = index
    this.#boot = boot
    this.claims = [`mac:${mac}`, ...(boot === true ? [BOOTS_FIRST] : [])]
    this.bootable = boot ?? 'fallback'
    this.portable = { kind: 'network.nic', options: plainOptions({ mac, model, boot }) }
    this.#surroundings = surroundings
  }

  /** Name of the running machine with this card; undefined if there is none. */
  get machine(): string | undefined {
    return this.#live?.machine
  }

  /**
   * Bytes that were not delivered to this card because its queue in the switch was full: broadcast frames that arrived
   * faster than the machine read them, or any frames while the machine read nothing. 0 while no machine runs.
   */
  get droppedBytes(): number {
    return this.#live?.link.droppedBytes ?? 0
  }

  /**
   * Unplugs the cable, so that the guest loses the carrier. If called before the start of the machine, the card starts
   * without cable.
   * @throws MachineError `QMP_FAILED`, `MACHINE_EXITED`
   */
  async down(): Promise<void> {
    await this.#setDown(true)
  }

  /**
   * Plugs the cable in again.
   * @throws MachineError `QMP_FAILED`, `MACHINE_EXITED`
   */
  async up(): Promise<void> {
    await this.#setDown(false)
  }

  /**
   * Adds faults to the cable of this card, in both directions, in addition to those of the whole network. Replaces
   * earlier faults; `{}` removes them.
   *
   * @returns dispose it to remove the faults
   * @throws OptionError `UNKNOWN_OPTION`, `INVALID_OPTION`
   */
  impair(impairment: Impairment): Disposable {
    const resolved = resolveImpairment(impairment)
    this.#impairment = resolved
    if (this.#live) applyImpairment(this.#live.link, resolved)
    return {
      [Symbol.dispose]: () => {
        if (this.#impairment === resolved) this.impair({})
      },
    }
  }

  /**
   * Captures the frames of this card to a file for Wireshark and tcpdump, until the capture is stopped or the network
   * closed. {@link Network.capture} captures all cards.
   *
   * @param maxBytes most bytes of packets in the file; further ones are dropped and counted. @default no limit
   * @throws OptionError `INVALID_OPTION` when the file cannot be created or the network is closed
   */
  capture(file: string, options: { readonly maxBytes?: number | undefined } = {}): Capture {
    checkTable('nic.capture', options, CAPTURE_CHECKS)
    this.#surroundings.requireOpen()
    return this.#surroundings.capture(file, {
      maxBytes: options.maxBytes,
      concerns: (card) => card.index === this.index,
    })
  }

  validate({ arch }: ValidateContext): void {
    requireNicModelOn(arch, this.model, this.name)
  }

  async prepare(): Promise<void> {
    this.requireFree()
  }

  qemuArgs(context: DeviceContext): readonly string[] {
    const netdev = context.id('net')
    const device = nicDevice(context, this.model, { id: context.id('nic'), netdev, mac: this.mac, boot: this.#boot })
    return ['-netdev', backend(context, netdev), '-device', device]
  }

  async attach({ machineName, streams, ids, qmp, exited }: AttachContext): Promise<void> {
    this.requireFree()
    const [stream] = streams
    const [netdev, id] = ids
    if (!stream || netdev === undefined)
      throw new MachineError('START_FAILED', `${this.name} received no file descriptor`)
    const { index, mac, model } = this
    const card = { machine: machineName, name: `${machineName}/${id}`, mac, model, index }
    const link = this.#surroundings.connect(card, stream)
    const live: LiveNic = { machine: machineName, netdev, qmp, link }
    this.#live = live
    if (this.#impairment) applyImpairment(link, this.#impairment)
    void exited.then(() => {
      link.leave()
      if (this.#live === live) this.#live = undefined
    })
    // After a revert to a checkpoint, the guest may have another state of the cable than the test.
    if (this.#isDown || this.#wasAttached) await this.#setDown(this.#isDown)
    this.#wasAttached = true
  }

  /**
   * @throws OptionError `DEVICE_CONFLICT` while a machine with this card runs; `INVALID_OPTION` when the network is
   * closed
   */
  requireFree(): void {
    this.#surroundings.requireOpen()
    if (!this.#live) return
    throw new OptionError(
      'DEVICE_CONFLICT',
      `Network card ${this.mac} is already in use by the running machine "${this.#live.machine}"`,
      { hint: 'Call network.nic() once for each machine.' },
    )
  }

  async #setDown(down: boolean): Promise<void> {
    this.#isDown = down
    if (this.#live) await this.#live.qmp.execute('set_link', { name: this.#live.netdev, up: !down })
  }
}

function backend(context: DeviceContext, id: string): string {
  const fd = context.inherit()
  if (fd !== undefined) return optionString('stream', { id, server: false, 'addr.type': 'fd', 'addr.str': fd })
  // A command line for a shell has no switch, so the card is connected to a hub without other members.
  return optionString('hubport', { id, hubid: context.id('hub').replace('hub', '') })
}

function applyImpairment(link: Link, impairment: ResolvedImpairment): void {
  const { index } = link.card
  link.conditioners = impairment.isPerfect
    ? {}
    : { sent: new LinkConditioner(impairment, index, 0), received: new LinkConditioner(impairment, index, 1) }
}
