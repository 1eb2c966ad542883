/**
 * Drivers for the devices that coldboot can add to a machine. Every guest contains them (4 MB, 5 ms of boot time) and loads
 * those whose device is present, so that a test does not have to list them. The kernel itself loads the modules of file
 * systems on a mount.
 */
import type { KernelModule } from './modules.ts'

/** A driver, with a second one that its device may need. */
interface DeviceModule {
  readonly name: string
  /** A driver that is loaded with it, for example that of the disks of a controller. */
  readonly brings?: string
}

/** In the order of loading. A kernel may lack some of them, depending on its flavour and architecture. */
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

/** Modules that the kernel requests on demand: file systems and their character sets. */
const ON_DEMAND = ['9p', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_utf8', 'nls_iso8859_1']

/** Names of the modules that every guest contains if its kernel has them. */
export const BUNDLED_MODULES: readonly string[] = [
  ...DEVICE_MODULES.flatMap(({ name, brings }) => [name, ...(brings ? [brings] : [])]),
  ...ON_DEMAND,
]

/** PCI vendor id of virtio devices, in the form of module aliases. */
const VIRTIO_PCI = 'pci:v00001AF4d0000'
/** PCI device id of virtio type 0 since virtio 1.0; the id of another type is this plus the type (VIRTIO 1.1, 4.1.2.1). */
const MODERN = 0x1040
/** PCI device ids before virtio 1.0, by virtio type. QEMU uses them by default. */
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
 * Shell lines that add the drivers of the present devices to `$modules`. They use only shell builtins, because starting a
 * command takes longer than loading a driver. Virtio devices are recognized by their PCI ids, before their bus exists.
 */
export function findDriversScript(modules: readonly KernelModule[]): string {
  const byName = new Map(modules.map((module) => [module.name, module]))
  const cases = DEVICE_MODULES.flatMap(({ name, brings }) => {
    const all = (byName.get(name)?.aliases ?? []).flatMap(devicePatterns)
    // A driver of a whole PCI class also lists some devices of other classes, none of which QEMU emulates.
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

// Aliases of devices are valid shell patterns. Others are ignored, because they could contain shell syntax.
function devicePatterns(alias: string): string[] {
  if (!/^(?:pci|virtio):[\w*?:-]+$/.test(alias)) return []
  const type = /^virtio:d([\dA-F]{8})v\*$/.exec(alias)?.[1]
  if (type === undefined) return [alias]
  const number = Number.parseInt(type, 16)
  const ids = [MODERN + number, TRANSITIONAL.get(number)].filter((id) => id !== undefined)
  return [alias, ...ids.map((id) => `${VIRTIO_PCI}${id.toString(16).toUpperCase().padStart(4, '0')}*`)]
}
