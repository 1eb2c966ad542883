/** The label and the serial number of a volume, which the library that reads the files does not tell. */

import { BOOT_FIELDS, clusterBytes, clusterOffset } from '../volume/geometry.ts'
import { SLOT_BYTES } from '../volume/slots.ts'
import type { ImageReader } from './image-reader.ts'
import type { LocatedVolume } from './locate-volume.ts'

const LABEL = 0x08
const LONG_NAME = 0x0f
const UNUSED = 0xe5
const NO_NAME = 'NO NAME'

/** The label: the entry in the root directory counts more than the boot sector. Undefined when there is none. */
export function readLabel(image: ImageReader, { offset, geometry }: LocatedVolume): string | undefined {
  // Tools put the entry first: the first cluster of the root of FAT32 is enough.
  const root =
    geometry.type === 'fat32'
      ? image.read(offset + clusterOffset(geometry, geometry.rootCluster), clusterBytes(geometry))
      : image.read(offset + geometry.rootStart * geometry.sectorBytes, geometry.rootSlots * SLOT_BYTES)
  for (let slot = 0; slot < root.length && root[slot] !== 0; slot += SLOT_BYTES) {
    const attributes = root.readUInt8(slot + 11)
    if (root[slot] !== UNUSED && attributes !== LONG_NAME && attributes & LABEL)
      return decode(root.subarray(slot, slot + 11))
  }
  const boot = image.read(offset, geometry.sectorBytes)
  const start = BOOT_FIELDS[geometry.type].label
  const label = decode(boot.subarray(start, start + 11))
  return label === NO_NAME || label === '' ? undefined : label
}

/** The serial number as it is usually shown: `'1A2B-3C4D'`. */
export function readVolumeId(image: ImageReader, { offset, geometry }: LocatedVolume): string {
  const id = image.read(offset + BOOT_FIELDS[geometry.type].volumeId, 4).readUInt32LE(0)
  const digits = id.toString(16).toUpperCase().padStart(8, '0')
  return `${digits.slice(0, 4)}-${digits.slice(4)}`
}

/** Bytes beyond ASCII depend on a code page that nothing in the image names. */
function decode(bytes: Buffer): string {
  return bytes
    .toString('latin1')
    .replace(/[\x80-\xff]/g, '\ufffd')
    .trimEnd()
}
