/** Shell script that makes a Linux guest remove a SCSI disk and detect it again. */

/**
 * @param device shell expression for the directory of the disk below `/sys/devices`, or a link to it
 * @returns lines after which the guest searches the disk in the background
 */
export function reconnected(device: string): string {
  // Its address, host:channel:target:unit, avoids a scan of 256 targets.
  return `disk=$(readlink -f "${device}")
IFS=:
set -- \${disk##*/}
unset IFS
echo 1 >"$disk/delete"
echo "$2 $3 $4" >"/sys/class/scsi_host/host$1/scan"`
}
