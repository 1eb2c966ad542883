/** Parser of PPM pictures from QEMU. */

/** A picture: three bytes per pixel, rows from top to bottom. */
export interface RgbPicture {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** Parses a picture. @param bytes a binary PPM file with 8 bits per colour, without comments */
export function parsePpm(bytes: Uint8Array): RgbPicture {
  const [header = '', width, height] =
    /^P6\s+(\d+)\s+(\d+)\s+255\s/.exec(Buffer.from(bytes.subarray(0, 64)).toString('latin1')) ?? []
  if (header === '') throw new TypeError('QEMU wrote a picture of an unknown format')
  return { width: Number(width), height: Number(height), data: bytes.subarray(header.length) }
}
