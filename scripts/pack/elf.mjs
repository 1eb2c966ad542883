// @ts-check
/** Reads the dynamic section of a 64-bit little-endian ELF file. Source: elf(5). */

/**
 * @typedef {object} Elf
 * @property {string} machine QEMU's name, `x86_64` or `aarch64`; the ELF number for others
 * @property {readonly string[]} needed names of the linked libraries
 * @property {string | undefined} soname its own name as a library
 * @property {string | undefined} interpreter path of the dynamic loader
 * @property {boolean} hasSymbols whether it has a symbol table, which `strip` removes
 */

const MACHINES = /** @type {Readonly<Record<number, string>>} */ ({ 62: 'x86_64', 183: 'aarch64' })
const SEGMENT = { load: 1, dynamic: 2, interpreter: 3 }
const DYNAMIC = { needed: 1, strings: 5, soname: 14 }
const SYMBOL_TABLE = 2

/** @param {Uint8Array} file @returns {Elf | undefined} undefined for other files */
export function readElf(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength)
  if (file.length < 64 || view.getUint32(0) !== 0x7f45_4c46 || view.getUint16(4) !== 0x0201) return undefined
  const half = (/** @type {number} */ at) => view.getUint16(at, true)
  const word = (/** @type {number} */ at) => view.getUint32(at, true)
  const long = (/** @type {number} */ at) => Number(view.getBigUint64(at, true))
  const text = (/** @type {number} */ at) => Buffer.from(file.subarray(at, file.indexOf(0, at))).toString()

  const segments = Array.from({ length: half(0x38) }, (_, index) => {
    const at = long(0x20) + index * half(0x36)
    return { type: word(at), offset: long(at + 8), address: long(at + 16), bytes: long(at + 32) }
  })
  const offsetOf = (/** @type {number} */ address) => {
    const segment = segments.find((it) => {
      return it.type === SEGMENT.load && address >= it.address && address < it.address + it.bytes
    })
    return segment ? address - segment.address + segment.offset : 0
  }
  /** @type {(readonly [tag: number, value: number])[]} */
  const entries = []
  for (const { type, offset, bytes } of segments) {
    for (let at = offset; type === SEGMENT.dynamic && at < offset + bytes; at += 16) {
      entries.push([long(at), long(at + 8)])
    }
  }
  const valuesOf = (/** @type {number} */ wanted) => entries.flatMap(([tag, value]) => (tag === wanted ? [value] : []))
  const strings = offsetOf(valuesOf(DYNAMIC.strings)[0] ?? 0)
  const [soname] = valuesOf(DYNAMIC.soname)
  const interpreter = segments.find(({ type }) => type === SEGMENT.interpreter)
  const sections = Array.from({ length: half(0x3c) }, (_, index) => long(0x28) + index * half(0x3a))
  return {
    machine: MACHINES[half(0x12)] ?? String(half(0x12)),
    needed: valuesOf(DYNAMIC.needed).map((value) => text(strings + value)),
    soname: soname === undefined ? undefined : text(strings + soname),
    interpreter: interpreter && text(interpreter.offset),
    hasSymbols: sections.some((at) => word(at + 4) === SYMBOL_TABLE),
  }
}
