/** Models of network cards, and their QEMU arguments. */

import { OptionError } from '../../errors.ts'
import { ARCHITECTURES, type Architecture } from '../../options/architecture.ts'
import type { DeviceContext } from '../device.ts'
import { optionString } from './option-string.ts'

/** The models, with the names of QEMU's PCI devices. */
const MODELS = {
  virtio: 'virtio-net-pci',
  e1000: 'e1000',
  e1000e: 'e1000e',
  rtl8139: 'rtl8139',
  vmxnet3: 'vmxnet3',
  pcnet: 'pcnet',
} as const

/**
 * Model of a network card. `virtio` is by far the fastest and exists on every architecture. Others emulate real PCI
 * cards.
 */
export type NicModel = keyof typeof MODELS

/** The names of the models. */
export const NIC_MODELS: readonly NicModel[] = Object.keys(MODELS) as NicModel[]

/** @throws OptionError `INVALID_OPTION` for a PCI model on an architecture without PCI */
export function requireNicModelOn(arch: Architecture, model: NicModel, device: string): void {
  if (model === 'virtio' || ARCHITECTURES[arch].virtioTransport === 'pci') return
  throw new OptionError('INVALID_OPTION', `${device}: model ${model} is a PCI card, but ${arch} machines have no PCI`, {
    hint: 'Remove `model`: a virtio card works.',
  })
}

/** Parameters of {@link nicDevice}. */
export interface NicArguments {
  readonly id: string
  readonly netdev: string
  readonly mac: string | undefined
  /** Whether the firmware tries the card first. If undefined: only if the machine has nothing else to boot from. */
  readonly boot: boolean | undefined
}

/** The value of QEMU's `-device`. */
export function nicDevice(
  { arch, bootsFromNetwork }: Pick<DeviceContext, 'arch' | 'bootsFromNetwork'>,
  model: NicModel,
  { id, netdev, mac, boot }: NicArguments,
): string {
  const { virtioTransport } = ARCHITECTURES[arch]
  const driver = model === 'virtio' ? `virtio-net-${virtioTransport}` : MODELS[model]
  // Without a ROM, the firmware does not try to boot over the network. Only PCI cards have a ROM.
  const romfile = virtioTransport === 'pci' && !(boot ?? bootsFromNetwork) ? '' : undefined
  return optionString(driver, { id, netdev, mac, romfile, bootindex: boot === true ? 1 : undefined })
}

/** Claim of a device that the firmware tries first. */
export const BOOTS_FIRST = 'boot:first'
