/** Access to the fields of FAT structures in a `Uint8Array`, which browsers have instead of Buffer. */

/** A DataView of the same memory. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Decodes each byte as the character with the same code. */
export function readLatin1(bytes: Uint8Array, start: number, end: number): string {
  let text = ''
  for (let index = start; index < Math.min(end, bytes.length); index++) text += String.fromCharCode(bytes[index] ?? 0)
  return text
}

/** Stores the low byte of each character. */
export function writeLatin1(target: Uint8Array, text: string, start: number): void {
  for (let index = 0; index < text.length; index++) target[start + index] = text.charCodeAt(index)
}
