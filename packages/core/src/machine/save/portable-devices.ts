/**
 * Creates the devices of a machine file again. A device is created by the same function that a user calls, with all of
 * its checks. The guest comes from an untrusted file, so it gets no access to this host by default: shared directories
 * are empty, and networks are disconnected.
 */

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { arbitraryArgs } from '../../devices/arbitrary-args.ts'
import { balloon } from '../../devices/balloon.ts'
import { blockDevice } from '../../devices/block-device.ts'
import { channel } from '../../devices/channel.ts'
import { cloudInit } from '../../devices/cloud-init.ts'
import type { Device, PlainValue, PortableDevice } from '../../devices/device.ts'
import { display } from '../../devices/display.ts'
import { icount } from '../../devices/icount.ts'
import type { Network } from '../../devices/network.ts'
import { p9Directory } from '../../devices/p9-directory.ts'
import { pvpanic } from '../../devices/pvpanic.ts'
import { readOnlyDirectory } from '../../devices/read-only-directory.ts'
import { rtc } from '../../devices/rtc.ts'
import { serial } from '../../devices/serial.ts'
import { tpm } from '../../devices/tpm.ts'
import { type UefiOptions, uefi } from '../../devices/uefi.ts'
import { type ForwardOptions, type UserNetworkOptions, userNetwork } from '../../devices/user-network.ts'
import { virtioRandom } from '../../devices/virtio-random.ts'
import { vsock } from '../../devices/vsock.ts'
import { watchdog } from '../../devices/watchdog.ts'
import { OptionError } from '../../errors.ts'

/** Resources of this host that the devices of a machine file may use. */
export interface DeviceSurroundings {
  /** Path on this host of a file to which the machine file refers. @throws OptionError `MACHINE_FILE_INVALID` */
  readonly fileAt: (path: string) => string
  /** Directory of this host for a shared directory of the machine; undefined for an empty directory. */
  readonly directoryAt: (path: string) => string | undefined
  /** Private folder in which empty directories are created. */
  readonly scratch: string
  /** Network to which the network cards are connected. */
  readonly network: () => Network
  /** Whether a user network that was saved with `restrict: false` has access to the outside. */
  readonly allowNetwork: boolean
  /** Whether `arbitraryArgs` of the saved machine are used. */
  readonly allowArguments: boolean
}

/** Paths of host files that a device reads and that a machine file does not contain. */
export function referredFiles({ kind, options }: PortableDevice): readonly string[] {
  const keys = kind === 'blockDevice' ? ['image'] : kind === 'uefi' ? ['code', 'variables'] : []
  return keys.map((key) => options[key]).filter((path) => typeof path === 'string')
}

type Options = Readonly<Record<string, PlainValue>>
type Maker = (options: Options, surroundings: DeviceSurroundings, position: number) => Device

const MAKERS: Readonly<Record<string, Maker>> = {
  arbitraryArgs({ args }, { allowArguments }) {
    const words = [args].flat() as string[]
    if (allowArguments) return arbitraryArgs(...words)
    throw new OptionError(
      'MACHINE_FILE_MISFIT',
      `The machine was started with custom QEMU arguments: ${words.join(' ')}`,
      {
        hint: 'Arguments can give the guest access to any file of this host. Read them, then allow them with `allowArguments` (`--allow-arguments`).',
      },
    )
  },
  balloon: () => balloon(),
  blockDevice({ image, ...options }, { fileAt }) {
    if (options['overlay'] === false && options['readOnly'] !== true && options['cdrom'] !== true) {
      throw new OptionError('MACHINE_FILE_INVALID', 'A disk of the machine would be modified')
    }
    return blockDevice(fileAt(text(image)), options)
  },
  channel: ({ name }) => channel(text(name)),
  cloudInit: (options) => cloudInit(options),
  display: (options) => display(options),
  'network.nic': (options, { network }) => network().nic(options),
  p9Directory({ directory, ...options }, surroundings, position) {
    return p9Directory(sharedDirectory(text(directory), surroundings, position), options)
  },
  pvpanic: () => pvpanic(),
  // The machine file contains the image, so the directory is not read.
  readOnlyDirectory(options, { scratch }, position) {
    const { directory: _, ...rest } = options
    return readOnlyDirectory(emptyDirectory(scratch, position), rest)
  },
  icount: (options) => icount(options),
  rtc: (options) => rtc(options),
  serial: (options) => serial(options),
  // The machine file contains the state of the TPM.
  tpm: (options) => tpm(options),
  uefi({ code, variables, ...options }, { fileAt }) {
    const files = code === undefined ? {} : { code: fileAt(text(code)), variables: fileAt(text(variables)) }
    return uefi({ ...(options as UefiOptions), ...files })
  },
  userNetwork({ restrict, forward, bootFile, boot, ...rest }, { allowNetwork }) {
    const { tftp: _, ...options } = rest
    // New host ports are chosen, because another machine may use the saved ones.
    const ports = ([forward ?? []].flat() as unknown as readonly ForwardOptions[]).map((it) => {
      const { host: _, ...rest } = it
      return rest
    })
    return userNetwork({
      ...(options as UserNetworkOptions),
      // The machine has already booted, but its card must have the same ROM as before.
      ...(boot === undefined && bootFile === undefined ? {} : { boot: boot !== false }),
      restrict: !allowNetwork || restrict !== false,
      forward: ports,
    })
  },
  virtioRandom: () => virtioRandom(),
  vsock: (options) => vsock(options),
  watchdog: (options) => watchdog(options),
}

/**
 * Creates a device of a saved machine.
 * @param position position among the devices of the machine
 * @throws OptionError `MACHINE_FILE_INVALID`, `MACHINE_FILE_MISFIT`, and the errors of the function of the device
 */
export function makeDevice(device: PortableDevice, surroundings: DeviceSurroundings, position: number): Device {
  const make = Object.hasOwn(MAKERS, device.kind) ? MAKERS[device.kind] : undefined
  if (make) return make(device.options, surroundings, position)
  throw new OptionError('MACHINE_FILE_MISFIT', `The machine has an unknown device, ${JSON.stringify(device.kind)}`, {
    hint: 'Resume it with the version of coldboot that saved it.',
  })
}

function text(value: PlainValue | undefined): string {
  if (typeof value === 'string') return value
  throw new OptionError('MACHINE_FILE_INVALID', 'A device of the machine lacks an option')
}

function sharedDirectory(path: string, { directoryAt, scratch }: DeviceSurroundings, position: number): string {
  return directoryAt(path) ?? emptyDirectory(scratch, position)
}

function emptyDirectory(scratch: string, position: number): string {
  const path = join(scratch, `directory${position}`)
  mkdirSync(path, { mode: 0o700 })
  return path
}
