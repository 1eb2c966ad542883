/** Reads the label and the serial number of a volume, which FatFs does not return. */
import { readLatin1, viewOf } from '../byte-view.ts'
import { SLOT_BYTES } from '../tree/slots.ts'
import { BOOT_FIELDS, clusterBytes, clusterOffset } from '../volume/geometry.ts'
import type { LocatedVolume } from './locate-volume.ts'

const LABEL = 0x08
const LONG_NAME = 0x0f
const UNUSED = 0xe5
const LABEL_BYTES = 11
const NO_NAME = 'NO NAME'

/** Returns the label in the root directory, else that in the boot sector; undefined if there is none. */
export function readLabel({ reader, start, geometry }: LocatedVolume): string | undefined {
  // Reads only the first cluster of a FAT32 root, because tools store the label first.
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

/** Returns the serial number in its usual form: `'1A2B-3C4D'`. */
export function readVolumeId({ reader, start, geometry }: LocatedVolume): string {
  const id = viewOf(reader.read(start + BOOT_FIELDS[geometry.type].volumeId, 4)).getUint32(0, true)
  const digits = id.toString(16).toUpperCase().padStart(8, '0')
  return `${digits.slice(0, 4)}-${digits.slice(4)}`
}

/** Decodes a label as Latin-1. Bytes beyond ASCII depend on a code page that the image does not contain. */
function decode(bytes: Uint8Array): string {
  return readLatin1(bytes, 0, bytes.length)
    .replace(/[\x80-\xff]/g, '\ufffd')
    .trimEnd()
}
