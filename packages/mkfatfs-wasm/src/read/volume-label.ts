/** The label and the serial number of a volume, which FatFs does not return. */
import { readLatin1, viewOf } from '../byte-view.ts'
import { SLOT_BYTES } from '../tree/slots.ts'
import { BOOT_FIELDS, clusterBytes, clusterOffset } from '../volume/geometry.ts'
import type { LocatedVolume } from './locate-volume.ts'

const LABEL = 0x08
const LONG_NAME = 0x0f
const UNUSED = 0xe5
const LABEL_BYTES = 11
const NO_NAME = 'NO NAME'

/** The label: an entry in the root directory has priority over the boot sector. Undefined when there is none. */
export function readLabel({ reader, start, geometry }: LocatedVolume): string | undefined {
  // Tools put the entry first: the first cluster of the root of FAT32 is enough.
  const root =
    geometry.type === 'fat32'
      ? reader.read(start + clusterOffset(geometry, geometry.rootCluster), clusterBytes(geometry))
      : reader.read(start + geometry.rootStart * geometry.sectorBytes, geometry.rootSlots * SLOT_BYTES)
  for (let slot = 0; slot < root.length && root[slot] !== 0; slot += SLOT_BYTES) {
    const attributes = root[slot + 11] ?? 0
    if (root[slot] !== UNUSED && attributes !== LONG_NAME && attributes & LABEL) {
      return decode(root.subarray(slot, slot + LABEL_BYTES))
    }
  }
  const label = decode(reader.read(start + BOOT_FIELDS[geometry.type].label, LABEL_BYTES))
  return label === NO_NAME || label === '' ? undefined : label
}

/** The serial number in its usual form: `'1A2B-3C4D'`. */
export function readVolumeId({ reader, start, geometry }: LocatedVolume): string {
  const id = viewOf(reader.read(start + BOOT_FIELDS[geometry.type].volumeId, 4)).getUint32(0, true)
  const digits = id.toString(16).toUpperCase().padStart(8, '0')
  return `${digits.slice(0, 4)}-${digits.slice(4)}`
}

/** Bytes beyond ASCII depend on a code page that the image does not name. */
function decode(bytes: Uint8Array): string {
  return readLatin1(bytes, 0, bytes.length)
    .replace(/[\x80-\xff]/g, '\ufffd')
    .trimEnd()
}
