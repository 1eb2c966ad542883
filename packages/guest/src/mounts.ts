/**
 * How the guest follows what a machine's devices ask of it on the kernel's command line: a root file system of theirs,
 * mounts, and names for the ports of channels.
 */

/** Path in the guest of a script that puts the names of modules into `$modules` and loads them. */
export const DRIVERS_PATH = '/etc/coldboot/drivers'

/** Path in the guest of {@link FOLLOW_DEVICES}. */
export const FOLLOW_DEVICES_PATH = '/etc/coldboot/follow-devices'

/** Path in the guest of {@link foreignRootScript}. */
export const FOREIGN_ROOT_PATH = '/etc/coldboot/root'

/** A word of the kernel's command line by which the guest tells the machine's devices of that script. */
export const FOREIGN_ROOT_WORD: string = `coldboot.rootinit=${FOREIGN_ROOT_PATH}`

/** Tells the machine's devices that the guest needs its mounts before its start is over: those of a template then too. */
export const EARLY_MOUNTS_WORD = 'coldboot.mounts=early'

/** What must be loaded before another root is there. */
export interface ForeignRootDrivers {
  /** Names of modules to load whatever devices there are. */
  readonly modules: readonly string[]
  /** Lines that add names to `$modules`. */
  readonly findDrivers: string
}

/** Loads the drivers of all devices, for the script that continues with another root. */
export function driversScript({ modules, findDrivers }: ForeignRootDrivers): string {
  return `modules="${['virtio_pci', '9pnet_virtio', ...modules].join(' ')}"
${findDrivers}modprobe -a $modules 2>/dev/null
`
}

/**
 * Process 1 instead of init (`rdinit=`) when a device is the root file system. Continues there with the program
 * that `init=` names or one of those the kernel itself would try. A kernel without modules would need none of this; the
 * other root has none for this kernel, so that the drivers of all devices are loaded before.
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
 * Lines for the start of every guest, after its modules are loaded. Without anything to do they start no process. Mounts are
 * below `$root`.
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
  // coldboot.channel=<name>. The driver learns the names of its ports a moment after it was loaded. Without the driver, none come.
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
