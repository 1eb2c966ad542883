/** Formats IP addresses of packets. */

/** Formats the four bytes at `offset`, such as `10.0.2.15`. */
export function ipv4At(bytes: Uint8Array, offset: number): string {
  return `${bytes[offset]}.${bytes[offset + 1]}.${bytes[offset + 2]}.${bytes[offset + 3]}`
}

/** Formats the 16 bytes at `offset` in the short form of RFC 5952, such as `fe80::1`. */
export function ipv6At(bytes: Buffer, offset: number): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(offset + index * 2).toString(16))
  const text = groups.join(':')
  // The longest run of two or more zero groups is omitted, the first if several are equal.
  const [longest] = [...text.matchAll(/(?<![^:])0(?::0)+(?![^:])/g)].sort((a, b) => b[0].length - a[0].length)
  if (!longest) return text
  const before = text.slice(0, longest.index).replace(/:$/, '')
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}`
}
