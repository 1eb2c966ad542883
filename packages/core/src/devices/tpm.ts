/** TPM 2.0, emulated by `swtpm` on the host, for guests that measure their boot. */
import { join } from 'node:path'
import { OptionError } from '../errors.ts'
import type { Architecture } from '../options/architecture.ts'
import { type CheckTable, checkTable, isPath, oneOf } from '../options/checked-options.ts'
import { requireDirectory } from '../options/required-path.ts'
import type { Device, ValidateContext } from './device.ts'
import { optionString } from './helpers/option-string.ts'

/** Options of {@link tpm}. */
export interface TpmOptions {
  /** Version of the specification. @default '2.0' */
  readonly version?: '2.0' | undefined
  /**
   * Interface of the device: `crb` is newer and for PCs only; `tis` is for PCs, arm and aarch64.
   * @default 'crb' for PCs, 'tis' for others
   */
  readonly model?: 'crb' | 'tis' | undefined
  /**
   * Directory with the persistent state of the TPM, such as keys, for one machine at a time. A machine with this option
   * has no template and cannot be saved. @default a new TPM for each machine, which is removed with the machine
   */
  readonly state?: string | undefined
}

const CHECKS: CheckTable<Required<TpmOptions>> = {
  version: oneOf(['2.0']),
  model: oneOf(['crb', 'tis']),
  state: isPath,
}

/**
 * Adds a TPM, `/dev/tpm0` in the guest. The host needs `swtpm`. With UEFI firmware, a machine measures firmware,
 * kernel, initramfs and command line into the registers below `/sys/class/tpm/tpm0/pcr-sha256`.
 *
 * A PC with a `kernel` needs `firmware: 'uefi'`, because the default firmware overwrites the initramfs with the log of
 * the TPM.
 *
 * @throws OptionError `INVALID_OPTION`, `UNKNOWN_OPTION`, `FILE_MISSING` when `state` is no directory;
 *   at the start `DEVICE_UNAVAILABLE` without `swtpm`
 */
export function tpm(options: TpmOptions = {}): Device {
  checkTable('tpm', options, CHECKS)
  const { model } = options
  const state = options.state === undefined ? undefined : requireDirectory('tpm: state', options.state)
  const kept = 'has its state in a directory of the host (`state`)'
  return {
    name: 'tpm',
    claims: ['device:tpm'],
    portable: state === undefined ? { kind: 'tpm', options: model === undefined ? {} : { model } } : undefined,
    unsavable: state === undefined ? undefined : kept,
    untemplatable: state === undefined ? undefined : kept,
    validate(context) {
      modelOf(context.arch, model)
      requireMeasurableBoot(context)
    },
    helper: ({ directory, position, fd }) => ({
      argv: `swtpm socket --tpm2 --tpmstate dir=.,mode=0600 --ctrl type=unixio,clientfd=${fd} --terminate`.split(' '),
      // The state is addressed by working directory, because a comma in a path cannot be escaped in the arguments.
      cwd: state ?? join(directory, `tpm${position}`),
      hint: 'Install `swtpm`, the package of Debian, Ubuntu, Fedora and Arch.',
    }),
    qemuArgs(context) {
      const fd = context.inherit()
      // A command line for a shell starts no helper, so its machine has no TPM.
      if (fd === undefined) return []
      const [chardev, tpmdev] = [context.id('tpm-socket'), context.id('tpm')]
      return [
        '-chardev',
        optionString('socket', { id: chardev, fd }),
        '-tpmdev',
        optionString('emulator', { id: tpmdev, chardev }),
        '-device',
        optionString(modelOf(context.arch, model), { tpmdev }),
      ]
    },
  }
}

const isPc = (arch: Architecture): boolean => arch === 'x86_64' || arch === 'i386'

/** QEMU's name of the device. @throws OptionError `INVALID_OPTION` */
function modelOf(arch: Architecture, model: TpmOptions['model']): string {
  if (isPc(arch)) return `tpm-${model ?? 'crb'}`
  if (arch !== 'aarch64' && arch !== 'arm') {
    throw new OptionError(
      'INVALID_OPTION',
      `tpm: only x86_64, i386, aarch64 and arm machines can have a TPM, not ${arch}`,
    )
  }
  if (model !== 'crb') return 'tpm-tis-device'
  throw new OptionError('INVALID_OPTION', `tpm: \`model\` is 'crb', but ${arch} machines only have 'tis'`)
}

/** @throws OptionError `INVALID_OPTION` */
function requireMeasurableBoot({ arch, kernel, firmware, devices }: ValidateContext): void {
  if (!isPc(arch) || kernel === undefined || devices.some(({ name }) => name === 'uefi')) return
  // A firmware with another name may be UEFI, so it is accepted.
  if (firmware !== undefined && !/(^|\/)(bios[\w-]*\.bin|qboot\.rom)$/.test(firmware)) return
  throw new OptionError('INVALID_OPTION', 'tpm: a PC with a TPM cannot boot `kernel` with its default firmware', {
    hint: "It would write the log of the TPM over the initramfs. Set `firmware: 'uefi'`, with a bzImage, such as that of `kernelOf`.",
  })
}
