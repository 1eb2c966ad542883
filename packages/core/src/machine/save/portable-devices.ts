/**
 * Devices as a machine file has them, and back. A device is made by the function that a user would call, with all of
 * its checks. What would open this host to a guest that came with a file is closed: directories are empty ones, and
 * networks lead nowhere.
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

/** What devices of a machine file may have of this host. */
export interface DeviceSurroundings {
  /** The path on this host of a file that the machine file refers to. @throws OptionError `MACHINE_FILE_INVALID` */
  readonly fileAt: (path: string) => string
  /** The directory that stands for a shared one; undefined: an empty one. */
  readonly directoryAt: (path: string) => string | undefined
  /** For empty directories; private. */
  readonly scratch: string
  /** For cards of networks. */
  readonly network: () => Network
  /** Whether a user network may lead out, as the saved machine's did. */
  readonly allowNetwork: boolean
  /** Whether arguments for QEMU are passed on. */
  readonly allowArguments: boolean
}

/** Paths of host files that a device reads and that a machine file does not carry. */
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
  // Its image is in the machine file.
  readOnlyDirectory(options, { scratch }, position) {
    const { directory: _, ...rest } = options
    return readOnlyDirectory(emptyDirectory(scratch, position), rest)
  },
  icount: (options) => icount(options),
  rtc: (options) => rtc(options),
  serial: (options) => serial(options),
  // Its state is in the machine file.
  tpm: (options) => tpm(options),
  uefi({ code, variables, ...options }, { fileAt }) {
    const files = code === undefined ? {} : { code: fileAt(text(code)), variables: fileAt(text(variables)) }
    return uefi({ ...(options as UefiOptions), ...files })
  },
  userNetwork({ restrict, forward, bootFile, boot, ...rest }, { allowNetwork }) {
    const { tftp: _, ...options } = rest
    // Ports of the host are for the machine that has them now.
    const ports = ([forward ?? []].flat() as unknown as readonly ForwardOptions[]).map((it) => {
      const { host: _, ...rest } = it
      return rest
    })
    return userNetwork({
      ...(options as UserNetworkOptions),
      // The machine has booted, and its card must have the same ROM.
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
 * Creates the device of a saved machine again.
 * @param position among the machine's devices
 * @throws OptionError `MACHINE_FILE_INVALID`, `MACHINE_FILE_MISFIT`, and those of the device's own function
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
