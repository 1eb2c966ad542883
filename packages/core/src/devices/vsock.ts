/** Sockets between host and guest without a network: AF_VSOCK, with the vhost driver of the host kernel. */

import { accessSync, constants } from 'node:fs'
import { codeOf, OptionError } from '../errors.ts'
import { nodeCrypto } from '../host/lazy-node.ts'
import { ARCHITECTURES } from '../options/architecture.ts'
import { type CheckTable, checkTable, wholeNumber } from '../options/checked-options.ts'
import type { Device } from './device.ts'
import { optionString } from './helpers/option-string.ts'

/** Options of {@link vsock}. */
export interface VsockOptions {
  /**
   * Context id (CID) of the guest, 3 to 4294967294, unique on the host.
   * @default random, because other processes may also have machines
   */
  readonly cid?: number | undefined
}

/** A vsock device. */
export interface Vsock extends Device {
  /** Context id (CID) of the guest. The host has CID 2. */
  readonly cid: number
}

// 0 to 2 are the hypervisor, loopback and the host. The highest number is a wildcard (linux/vm_sockets.h).
const LEAST_CID = 3
const MOST_CID = 0xffff_fffe
const CHECKS: CheckTable<Required<VsockOptions>> = { cid: wholeNumber(LEAST_CID, MOST_CID) }
const HOST_DEVICE = '/dev/vhost-vsock'

/**
 * Adds a vsock device, for one machine at a time. The guest kernel needs `vmw_vsock_virtio_transport`. The host must be
 * Linux, with a `/dev/vhost-vsock` that this user may open.
 *
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`; at the start `DEVICE_UNAVAILABLE`, and `DEVICE_CONFLICT` when
 *   another machine runs with the device
 */
export function vsock(options: VsockOptions = {}): Vsock {
  checkTable('vsock', options, CHECKS)
  const { cid = nodeCrypto().randomInt(LEAST_CID, MOST_CID + 1) } = options
  let machine: string | undefined
  const requireFree = (): void => {
    if (machine === undefined) return
    throw new OptionError('DEVICE_CONFLICT', `vsock: the running machine "${machine}" already has the number ${cid}`, {
      hint: 'Call vsock() once for each machine.',
    })
  }
  return {
    name: 'vsock',
    portable: { kind: 'vsock', options: { cid } },
    requireFree,
    cid,
    // The driver of the kernel supports one device per machine.
    claims: ['device:vsock'],
    async prepare() {
      requireFree()
      requireHostDevice(HOST_DEVICE)
    },
    qemuArgs(context) {
      const driver = `vhost-vsock-${ARCHITECTURES[context.arch].virtioTransport}`
      return ['-device', optionString(driver, { id: context.id('vsock'), 'guest-cid': cid })]
    },
    attach({ machineName, exited }) {
      requireFree()
      machine = machineName
      void exited.then(() => {
        machine = undefined
      })
    },
  }
}

/** @throws OptionError `DEVICE_UNAVAILABLE` */
export function requireHostDevice(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
  } catch (cause) {
    const isDenied = codeOf(cause) === 'EACCES'
    throw new OptionError(
      'DEVICE_UNAVAILABLE',
      isDenied ? `vsock: this user may not open ${path}` : `vsock: this host has no ${path}`,
      {
        cause,
        hint: isDenied
          ? 'Add this user to the group that owns it (often kvm), or give access with a udev rule.'
          : 'On Linux, load the module with `modprobe vhost_vsock`. Other hosts do not support it.',
      },
    )
  }
}
