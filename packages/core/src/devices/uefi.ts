/**
 * UEFI firmware, from the npm package of QEMU or from the distribution. Each machine has its own copy of the firmware
 * variables. A machine without a kernel boots from `EFI/BOOT` on its disks, or starts the shell of the firmware.
 */
import { join } from 'node:path'
import { OptionError } from '../errors.ts'
import { packagedQemu } from '../host/qemu-package.ts'
import type { Architecture } from '../options/architecture.ts'
import { type CheckTable, checkTable, isPath } from '../options/checked-options.ts'
import { requireFile } from '../options/required-path.ts'
import type { Device, DeviceContext } from './device.ts'
import { contentArgs, createLayer } from './disk/disk-content.ts'
import { type DiskFormat, inspectDiskImage } from './disk/disk-image.ts'
import { DESCRIPTOR_FOLDERS, findUefi } from './firmware/firmware-descriptors.ts'
import { optionString } from './helpers/option-string.ts'
import { plainOptions } from './helpers/plain-options.ts'

/** Options of {@link uefi}. Set both or neither. */
export interface UefiOptions {
  /**
   * Path of the flash image with the code, such as `OVMF_CODE.fd`.
   *
   * @default the firmware in the npm package of QEMU, else that of the distribution
   */
  readonly code?: string
  /** Path of the flash image with the variables, such as `OVMF_VARS.fd`. It is only read. @default see `code` */
  readonly variables?: string
}

const CHECKS: CheckTable<Required<UefiOptions>> = { code: isPath, variables: isPath }

interface Flash {
  readonly path: string
  readonly format: DiskFormat
  readonly virtualSize: number
}

/**
 * Boots the machine with UEFI, as does `firmware: 'uefi'`. Changes to the firmware variables are discarded with the
 * machine. Firmware is found by QEMU's firmware descriptors, first in the npm package of QEMU, then in the
 * distribution. Firmware that requires Secure Boot is not used.
 *
 * @throws OptionError `FILE_MISSING` for a wrong path and, when the machine starts, if no firmware for it is installed;
 * `INVALID_OPTION`, `UNKNOWN_OPTION`
 */
export function uefi(options: UefiOptions = {}): Device {
  checkTable('uefi', options, CHECKS)
  const { code, variables } = options
  if ((code === undefined) !== (variables === undefined)) {
    throw new OptionError('INVALID_OPTION', 'uefi: set both `code` and `variables`, or neither')
  }
  const found = new Map<string, readonly [code: Flash, variables: Flash]>()
  const flashFor = (arch: Architecture, machine: string): readonly [code: Flash, variables: Flash] => {
    const key = `${arch} ${machine}`
    const flash = found.get(key) ?? locate(arch, machine, options)
    found.set(key, flash)
    return flash
  }
  return {
    name: 'uefi',
    portable: { kind: 'uefi', options: plainOptions(options) },
    claims: ['firmware:uefi'],
    bootable: true,
    validate({ arch, machine, firmware }) {
      if (firmware !== undefined) {
        throw new OptionError('INVALID_OPTION', `The machine has uefi() and \`firmware\`: ${firmware}`, {
          hint: 'Remove one of them.',
        })
      }
      flashFor(arch, machine)
    },
    prepare(context) {
      const [, { virtualSize }] = flashFor(context.arch, context.machine)
      return createLayer(layerPath(context), virtualSize)
    },
    qemuArgs(context) {
      const [code, variables] = flashFor(context.arch, context.machine)
      const [pflash0, pflash1] = [context.id('uefi-code'), context.id('uefi-vars')]
      const layer = context.standalone ? undefined : layerPath(context)
      return [
        ...contentArgs({ ...code, access: 'read-only' }, { id: pflash0, layer: undefined }),
        ...contentArgs({ ...variables, access: 'overlay' }, { id: pflash1, layer }),
        // QEMU merges this with the other `-machine` argument.
        ...['-machine', optionString(undefined, { pflash0, pflash1 })],
      ]
    },
  }
}

function layerPath({ directory, position }: Pick<DeviceContext, 'directory' | 'position'>): string {
  return join(directory, `uefi-vars${position}.qcow2`)
}

function locate(arch: Architecture, machine: string, own: UefiOptions): readonly [code: Flash, variables: Flash] {
  if (own.code !== undefined && own.variables !== undefined) {
    return [inspect('code', own.code), inspect('variables', own.variables)]
  }
  const ofPackage = packagedQemu(arch)?.firmware
  const firmware = (ofPackage && findUefi(arch, machine, [ofPackage])) ?? findUefi(arch, machine)
  if (!firmware) {
    const packages = PACKAGES[arch]
    throw new OptionError(
      'FILE_MISSING',
      `No UEFI firmware for ${arch} machines of type ${machine} was found on this host`,
      {
        hint: packages ? `Install it: ${packages}.` : `QEMU has no UEFI for ${arch}. Use the default firmware.`,
        sections: { 'Searched for a firmware descriptor in': DESCRIPTOR_FOLDERS.join('\n') },
      },
    )
  }
  return [
    inspect('code', firmware.code, firmware.codeFormat),
    inspect('variables', firmware.variables, firmware.variablesFormat),
  ]
}

function inspect(option: string, file: string, format = 'raw'): Flash {
  const path = requireFile(`uefi: ${option}`, file) ?? ''
  return { path, ...inspectDiskImage(path, format === 'qcow2' ? 'qcow2' : 'raw') }
}

const PACKAGES: { readonly [Arch in Architecture]?: string } = {
  x86_64: '`ovmf` on Debian, `edk2-ovmf` on Fedora and Arch',
  aarch64: '`qemu-efi-aarch64` on Debian, `edk2-aarch64` on Fedora and Arch',
  arm: '`qemu-efi-arm` on Debian, `edk2-arm` on Fedora and Arch',
  riscv64: '`qemu-efi-riscv64` on Debian, `edk2-riscv64` on Fedora',
  i386: 'set `code` and `variables`, because distributions have it with Secure Boot only',
}
