/**
 * Shell scripts by which the guest obeys the arguments that a machine's devices add to the kernel's command line: a device as
 * the root file system, mounts, and names for virtio-serial ports.
 */

/** Path in the guest of a script that puts the names of modules into `$modules` and loads them. */
export const DRIVERS_PATH = '/etc/coldboot/drivers'

/** Path in the guest of {@link FOLLOW_DEVICES}. */
export const FOLLOW_DEVICES_PATH = '/etc/coldboot/follow-devices'

/** Path in the guest of {@link foreignRootScript}. */
export const FOREIGN_ROOT_PATH = '/etc/coldboot/root'

/** Kernel argument that tells the machine's devices where this script is. */
export const FOREIGN_ROOT_WORD: string = `coldboot.rootinit=${FOREIGN_ROOT_PATH}`

/** Kernel argument that tells the machine's devices to mount during the boot, also in a template. */
export const EARLY_MOUNTS_WORD = 'coldboot.mounts=early'

/** Modules to load before another root is mounted. */
export interface ForeignRootDrivers {
  /** Names of modules that are loaded on every machine. */
  readonly modules: readonly string[]
  /** Shell lines that add the drivers of the present devices to `$modules`. */
  readonly findDrivers: string
}

/** Script that loads the drivers of all devices before another root is mounted. */
export function driversScript({ modules, findDrivers }: ForeignRootDrivers): string {
  return `modules="${['virtio_pci', '9pnet_virtio', ...modules].join(' ')}"
${findDrivers}modprobe -a $modules 2>/dev/null
`
}

/**
 * Process 1 (`rdinit=`) when a device is the root file system. Loads the drivers of all devices, because the other root has
 * no modules for this kernel. Then mounts the root and runs the program of `init=`, or the first that exists of those that
 * the kernel tries.
 */
export function foreignRootScript(): string {
  return `#!/bin/sh
/bin/mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
read -r words </proc/cmdline
. ${DRIVERS_PATH}
set -f
mode=ro program= type= source= options=
for word in $words; do
  case $word in
    ro | rw) mode=$word ;;
    init=*) program=\${word#*=} ;;
    root=*) source=\${word#*=} ;;
    rootfstype=*) type=\${word#*=} ;;
    rootflags=*) options=,\${word#*=} ;;
  esac
done
case $source in
  # A disk may show itself some time after its driver was loaded.
  /dev/root) ;;
  /dev/*) tries=0; until [ -b "$source" ] || [ $((tries += 1)) -gt 500 ]; do sleep 0.01; done ;;
esac
mkdir /foreign
if ! mount \${type:+-t "$type"} -o "$mode$options" "$source" /foreign; then
  echo "coldboot: the root file system $source ($type) cannot be mounted; the machine ends here" >&2
  poweroff -f
fi
umount /proc /sys /dev
for each in $program /sbin/init /etc/init /bin/init /bin/sh; do
  if [ -x "/foreign$each" ] || [ -h "/foreign$each" ]; then
    # As the kernel does it for a root of its own.
    if [ -d /foreign/dev ]; then mount -t devtmpfs devtmpfs /foreign/dev; fi
    exec switch_root /foreign "$each"
  fi
done
echo "coldboot: the root file system $source has no program to start: name one with init=; the machine ends here" >&2
poweroff -f
`
}

/**
 * Shell lines of every guest's start, after its modules are loaded. They start no process if there is nothing to do. Mounts
 * are below `$root`.
 */
export const FOLLOW_DEVICES: readonly string[] = [
  'name_ports() {',
  '  for file in /sys/class/virtio-ports/*/name; do',
  '    read -r name <"$file" && [ -n "$name" ] || continue',
  '    port=${file%/name}',
  '    mkdir -p /dev/virtio-ports',
  '    ln -sf "../${port##*/}" "/dev/virtio-ports/$name"',
  '  done 2>/dev/null',
  '}',
  'set -f',
  'read -r words </proc/cmdline',
  'set -- $words',
  'set +f',
  'for word; do',
  '  case $word in',
  // coldboot.channel=<name>. The names of ports appear some time after the driver was loaded. Without the driver, none appear.
  '  coldboot.channel=*)',
  '    word=${word#*=} tries=0',
  '    until name_ports; [ -e "/dev/virtio-ports/$word" ]; do',
  '      if [ $((tries += 1)) -gt 500 ] || [ ! -d /sys/bus/virtio/drivers/virtio_console ]; then',
  '        echo "coldboot: channel $word is not there; the machine ends here. It needs CONFIG_VIRTIO_CONSOLE" >&2',
  '        poweroff -f',
  '      fi',
  '      sleep 0.01',
  '    done',
  '    ;;',
  // coldboot.mount=<where>:<type>:<source>:<options>
  '  coldboot.mount=*)',
  '    word=${word#*=}',
  '    where=${word%%:*} word=${word#*:}',
  '    type=${word%%:*} word=${word#*:}',
  '    source=${word%%:*} options=${word#*:}',
  '    mkdir -p "$root$where" && mount -t "$type" -o "$options" "$source" "$root$where" && continue',
  '    echo "coldboot: $source cannot be mounted at $where; the machine ends here" >&2',
  '    case $type in',
  '    9p) echo "9p needs CONFIG_9P_FS and CONFIG_NET_9P_VIRTIO: Debian\'s generic kernels have both, its cloud kernels neither" >&2 ;;',
  '    vfat) echo "vfat needs CONFIG_VFAT_FS, CONFIG_NLS_CODEPAGE_437 and CONFIG_NLS_ASCII or CONFIG_NLS_ISO8859_1; its disk a driver: CONFIG_SCSI_VIRTIO and CONFIG_BLK_DEV_SD, or CONFIG_VIRTIO_BLK" >&2 ;;',
  '    esac',
  '    poweroff -f',
  '    ;;',
  '  esac',
  'done',
]
