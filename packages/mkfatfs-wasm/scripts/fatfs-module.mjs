// @ts-check
/** Shrinks the WebAssembly of js-fatfs: removes its largest tables, and runs of zeros. */

/** Least length of a table of the code pages 932, 936, 949 and 950, in entries. Other data has no sorted run of this length. */
const LEAST_ENTRIES = 5000
const ENTRY_BYTES = 4
const DATA_SECTION = 11
const HEADER_BYTES = 8
/** Shortest run of zeros that is removed: a new segment takes fewer bytes. */
const LEAST_GAP = 16

/**
 * @param {Uint8Array} module the WebAssembly of js-fatfs
 * @returns {Uint8Array} an equivalent module without the code pages 932, 936, 949 and 950
 */
export function embeddedModule(module) {
  const bytes = Buffer.from(module)
  const sections = []
  let position = HEADER_BYTES
  while (position < bytes.length) {
    const id = bytes.readUInt8(position)
    const size = readLeb(bytes, position + 1)
    const end = size.end + size.value
    sections.push({ id, start: position, body: size.end, end })
    position = end
  }
  const parts = [bytes.subarray(0, HEADER_BYTES)]
  for (const { id, start, body, end } of sections) {
    if (id === DATA_SECTION) parts.push(packData(bytes.subarray(body, end)))
    else parts.push(bytes.subarray(start, end))
  }
  return Buffer.concat(parts)
}

/** Each table is a run of pairs of 16 bits, sorted by the first. @param {Buffer} data */
function withoutTables(data) {
  const result = Buffer.from(data)
  for (let phase = 0; phase < ENTRY_BYTES; phase++) {
    for (let start = phase; start + ENTRY_BYTES <= data.length; ) {
      let end = start
      let previous = -1
      while (end + ENTRY_BYTES <= data.length && data.readUInt16LE(end) > previous) {
        previous = data.readUInt16LE(end)
        end += ENTRY_BYTES
      }
      if ((end - start) / ENTRY_BYTES >= LEAST_ENTRIES) result.fill(0, start, end)
      start = Math.max(end, start + ENTRY_BYTES)
    }
  }
  return result
}

/** Rewrites the data section, with a segment for each range that is not zero. @param {Buffer} body */
function packData(body) {
  const count = readLeb(body, 0)
  let position = count.end
  /** @type {Buffer[]} */
  const segments = []
  for (let index = 0; index < count.value; index++) {
    const [flags, opcode] = body.subarray(position, position + 2)
    if (flags !== 0 || opcode !== 0x41) throw new Error('The data segments of js-fatfs have another form now.')
    const address = readLeb(body, position + 2)
    const size = readLeb(body, address.end + 1)
    const contents = withoutTables(body.subarray(size.end, size.end + size.value))
    for (const [start, end] of stretches(contents)) {
      const place = [0, 0x41, ...signedLeb(address.value + start), 0x0b, ...unsignedLeb(end - start)]
      segments.push(Buffer.from(place), contents.subarray(start, end))
    }
    position = size.end + size.value
  }
  const packed = Buffer.concat([Buffer.from(unsignedLeb(segments.length / 2)), ...segments])
  return Buffer.concat([Buffer.from([DATA_SECTION, ...unsignedLeb(packed.length)]), packed])
}

/** Yields ranges of bytes between long runs of zeros. @param {Buffer} contents @returns {Generator<[number, number]>} */
function* stretches(contents) {
  let start = 0
  while (start < contents.length) {
    while (start < contents.length && contents[start] === 0) start++
    if (start === contents.length) return
    let end = start
    let zeros = 0
    let next = start
    while (next < contents.length && zeros < LEAST_GAP) {
      if (contents[next++] === 0) zeros++
      else {
        zeros = 0
        end = next
      }
    }
    yield [start, end]
    start = next
  }
}

/** @param {Buffer} bytes @param {number} position */
function readLeb(bytes, position) {
  let value = 0
  let shift = 0
  let end = position
  let byte
  do {
    byte = bytes.readUInt8(end++)
    value += (byte & 0x7f) * 2 ** shift
    shift += 7
  } while (byte & 0x80)
  return { value, end }
}

/** @param {number} value */
function unsignedLeb(value) {
  const bytes = []
  do {
    bytes.push((value & 0x7f) | (value >= 0x80 ? 0x80 : 0))
    value = Math.floor(value / 0x80)
  } while (value > 0)
  return bytes
}

/** Encodes a number that is not negative. Bit 6 of the last byte is the sign. @param {number} value */
function signedLeb(value) {
  const bytes = unsignedLeb(value)
  const last = bytes.at(-1) ?? 0
  if ((last & 0x40) === 0) return bytes
  return [...bytes.slice(0, -1), last | 0x80, 0]
}
