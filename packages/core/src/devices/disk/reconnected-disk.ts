/** Shell lines that have a Linux guest forget a SCSI disk and find it again, as one that was pulled out and put in. */

/**
 * @param device words of a shell that give the disk's directory below `/sys/devices`, or a link to it
 * @returns lines after which the guest looks for the disk, in the background
 */
export function reconnected(device: string): string {
  // Its address, host:channel:target:unit, spares a search of 256 targets.
  return `disk=$(readlink -f "${device}")
IFS=:
set -- \${disk##*/}
unset IFS
echo 1 >"$disk/delete"
echo "$2 $3 $4" >"/sys/class/scsi_host/host$1/scan"`
}
