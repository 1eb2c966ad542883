/**
 * Configuration for cloud-init, on a disk that the datasource NoCloud finds by its label. The files are created when a
 * machine starts, because the YAML library is loaded only then.
 */
import { OptionError } from '../errors.ts'
import { nodeCrypto } from '../host/lazy-node.ts'
import { type Check, type CheckTable, checkTable, isString, oneOf } from '../options/checked-options.ts'
import { isPlainObject, nonPlainPart } from '../options/plain-data.ts'
import { isUserData, USER_DATA_HEADERS } from './cloud-init/user-data.ts'
import type { Device, PlainValue } from './device.ts'
import { DISK_INTERFACES, type DiskInterface } from './disk/disk-interface.ts'
import { fatDisk } from './disk/fat-disk.ts'
import { plainOptions } from './helpers/plain-options.ts'

/** Plain data that is converted to YAML. */
export type CloudConfig = Readonly<Record<string, PlainValue | undefined>>

/** Options of {@link cloudInit}. */
export interface CloudInitOptions {
  /**
   * User data. An object is converted to YAML with the header `#cloud-config`. A string must start with a header of
   * cloud-init: `#cloud-config`, the `#!` of a script, `#include`, `## template: jinja`, or the header of a MIME
   * message.
   * @default none
   */
  readonly userData?: string | CloudConfig
  /**
   * Meta data about the machine, such as `local-hostname`: an object, or YAML.
   * @default an `instance-id` that is a hash of all four data options, so that a changed seed is a new instance
   */
  readonly metaData?: string | CloudConfig
  /** Network configuration, version 1 or 2: an object, or YAML. @default none: cloud-init uses DHCP */
  readonly networkConfig?: string | CloudConfig
  /** Vendor data, in the same formats as `userData`. `userData` takes precedence. @default none */
  readonly vendorData?: string | CloudConfig
  /** Interface of the disk: see `readOnlyDirectory`. @default 'scsi' */
  readonly interface?: DiskInterface
}

const isSeedPart: Check = ['a string or an object', (value) => isString(value) || isPlainObject(value)]

const CHECKS: CheckTable<Required<CloudInitOptions>> = {
  userData: isSeedPart,
  metaData: isSeedPart,
  networkConfig: isSeedPart,
  vendorData: isSeedPart,
  interface: oneOf(DISK_INTERFACES),
}

/** Label by which NoCloud finds the file system. */
const LABEL = 'CIDATA'

/**
 * Adds a read-only disk with a seed for cloud-init (datasource NoCloud): `user-data`, `meta-data`, and if given,
 * `network-config` and `vendor-data`. The seed is part of the key of a template. `vm.waitForCloudInit()` waits until it
 * was applied.
 *
 * A command line for a shell does not contain the disk.
 *
 * @throws OptionError `INVALID_OPTION` for a text without a header of cloud-init, or values that YAML cannot represent;
 * `UNKNOWN_OPTION`; `DEVICE_CONFLICT` for two seeds. When the machine starts: `INVALID_OPTION` for invalid YAML
 */
export function cloudInit(options: CloudInitOptions = {}): Device {
  checkTable('cloudInit', options, CHECKS)
  const { interface: kind = 'scsi', ...given } = options
  requirePlainData(given)
  requireHeader('userData', given.userData)
  requireHeader('vendorData', given.vendorData)
  // Copied, because the caller may change the objects before a machine starts.
  const parts = JSON.parse(JSON.stringify(given)) as CloudInitOptions
  const identity = nodeCrypto()
    .createHash('sha256')
    .update(JSON.stringify([parts.userData, parts.metaData, parts.networkConfig, parts.vendorData]))
    .digest('hex')
  const disk = fatDisk({ owner: 'cloudInit', interface: kind, files: 'seed' })
  return {
    name: 'cloudInit',
    portable: { kind: 'cloudInit', options: plainOptions({ ...parts, interface: options.interface }) },
    claims: [`label:${LABEL}`],
    validate: disk.validate,
    contentIdentity: () => identity,
    async prepare(context) {
      const { seedFiles } = await import('./cloud-init/seed-files.ts')
      await disk.create(seedFiles(parts, identity), context, { label: LABEL, partition: false })
    },
    // QEMU has no driver that could replace the missing image file.
    qemuArgs: (context) => (context.standalone ? [] : disk.args(context, {})),
  }
}

function requirePlainData(parts: object): void {
  const found = nonPlainPart(parts)
  if (found === undefined) return
  throw new OptionError('INVALID_OPTION', `cloudInit: ${found.path} cannot become YAML: it is ${found.what}`, {
    hint: 'Use strings, numbers, true, false, null, lists and objects. Write a date as a string, and bytes as base64.',
  })
}

function requireHeader(option: string, value: unknown): void {
  if (!isString(value) || isUserData(value)) return
  const [line = ''] = value.trimStart().split('\n')
  throw new OptionError(
    'INVALID_OPTION',
    `cloudInit: \`${option}\` starts with ${JSON.stringify(line.slice(0, 60))}, which cloud-init ignores`,
    { hint: `Start it with ${USER_DATA_HEADERS}, or pass an object.` },
  )
}
