/**
 * The drivers of the devices that a machine of this project can have. They lie in every guest (4 MB, 5 ms of boot) and
 * are loaded if their device is there: a test names its devices, not their drivers. File systems are loaded by the kernel
 * when something is mounted.
 */
import type { KernelModule } from './modules.ts'

/** A driver, and what else its device needs. */
interface DeviceModule {
  readonly name: string
  /** Loaded with it: the driver of what hangs on the device. */
  readonly brings?: string
}

/** In the order of loading. Which of them a kernel has depends on its flavour and architecture. */
const DEVICE_MODULES: readonly DeviceModule[] = [
  { name: 'virtio_pci' },
  { name: 'virtio_net' },
  { name: 'virtio_blk' },
  { name: 'virtio_console' },
  { name: 'virtio_rng' },
  { name: 'virtio_balloon' },
  { name: '9pnet_virtio' },
  { name: 'vmw_vsock_virtio_transport' },
  { name: 'virtio_scsi', brings: 'sd_mod' },
  { name: 'ahci', brings: 'sd_mod' },
  { name: 'nvme' },
  { name: 'e1000' },
  { name: 'i6300esb' },
  { name: 'pvpanic_pci' },
]

/** Modules that the kernel requests by itself: file systems and their character sets. */
const ON_DEMAND = ['9p', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_utf8', 'nls_iso8859_1']

/** Names of the modules that lie in every guest whose kernel has them. */
export const BUNDLED_MODULES: readonly string[] = [
  ...DEVICE_MODULES.flatMap(({ name, brings }) => [name, ...(brings ? [brings] : [])]),
  ...ON_DEMAND,
]

/** PCI's vendor of the virtio devices, as in the aliases of modules. */
const VIRTIO_PCI = 'pci:v00001AF4d0000'
/** PCI devices of virtio 1.0: 0x1040 and the virtio type (VIRTIO 1.1, 4.1.2.1). */
const MODERN = 0x1040
/** PCI devices from before virtio 1.0, by virtio type; QEMU's default. */
const TRANSITIONAL: ReadonlyMap<number, number> = new Map([
  [1, 0x1000],
  [2, 0x1001],
  [5, 0x1002],
  [3, 0x1003],
  [8, 0x1004],
  [4, 0x1005],
  [9, 0x1009],
])

/**
 * Shell lines that put the names of the drivers for the devices there are into `$modules`. All in the shell: a command
 * of its own costs more than loading a driver. The virtio devices are known by their PCI ids before their bus is there.
 */
export function findDriversScript(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]))
  const cases = DEVICE_MODULES.flatMap(({ name, brings }) => {
    const all = (byName.get(name)?.aliases ?? []).flatMap(devicePatterns)
    // A driver of a whole class of devices also lists the odd ones of other classes; QEMU has none of them.
    const ofClass = all.filter((pattern) => pattern.startsWith('pci:v*d*'))
    const patterns = ofClass.length > 0 ? ofClass : all
    const wanted = brings && byName.has(brings) ? `${name} ${brings}` : name
    return patterns.length === 0 ? [] : [`  case $id in ${patterns.join('|')}) modules="$modules ${wanted}" ;; esac`]
  })
  if (cases.length === 0) return ''
  return [
    'for file in /sys/bus/pci/devices/*/modalias /sys/bus/virtio/devices/*/modalias; do',
    '  [ -r "$file" ] || continue',
    '  read -r id <"$file"',
    ...cases,
    'done',
    '',
  ].join('\n')
}

// Aliases are patterns of the same kind as the shell's; one with characters that the shell would read otherwise is no
// device's.
function devicePatterns(alias: string): string[] {
  if (!/^(?:pci|virtio):[\w*?:-]+$/.test(alias)) return []
  const type = /^virtio:d([\dA-F]{8})v\*$/.exec(alias)?.[1]
  if (type === undefined) return [alias]
  const number = Number.parseInt(type, 16)
  const ids = [MODERN + number, TRANSITIONAL.get(number)].filter((id) => id !== undefined)
  return [alias, ...ids.map((id) => `${VIRTIO_PCI}${id.toString(16).toUpperCase().padStart(4, '0')}*`)]
}
